import { expect, test } from "vitest";
import { rewriteLinks, withoutComments } from "../src/links.mjs";

const paths = new Map([
  ["docs/guides/node.md", "guides/node"],
  ["packages/core/README.md", "reference/core/index"],
]);

function rewritten(text: string, copies = new Set<string>()): string {
  const to = (path: string, anchor?: string) =>
    `/${path}${anchor === undefined ? "" : `#${anchor}`}`;
  return rewriteLinks("docs/limits.md", text, { paths, to, copies });
}

test("a link to a page leads to the page on the site, with its anchor", () => {
  expect(rewritten("[a](guides/node.md#closing) and [`b`](../packages/core)")).toBe(
    "[a](/guides/node#closing) and [`b`](/reference/core/index)",
  );
});

test("the text of a link may be code with brackets", () => {
  expect(rewritten("[`f([[a, b], c])`](guides/node.md)")).toBe("[`f([[a, b], c])`](/guides/node)");
});

test("a link to another file leads to a copy of it, and one to a folder is only text", () => {
  const copies = new Set<string>();
  const text = "[a](../packages/core/src/io.ts), [b](../packages/core/src)";
  expect(rewritten(text, copies)).toBe("[a](/source/packages/core/src/io.ts.txt), b");
  expect([...copies]).toEqual(["packages/core/src/io.ts"]);
});

test("links within the page and to other sites stay, and so does what only looks like a link", () => {
  const text = "[a](#b) [c](https://d.test/e.md)\n\n```md\n[f](guides/node.md)\n```\n";
  expect(rewritten(text)).toBe(text);
});

test("a link to a file that is missing fails the build", () => {
  expect(() => rewritten("[a](missing.md)")).toThrow("docs/limits.md: no file docs/missing.md");
});

test("comments go, except in code", () => {
  const block = "```html\n<!-- kept -->\n```\n";
  expect(withoutComments(`<!-- given\ndeclare const a: 1;\n-->\n${block}`)).toBe(block);
});
