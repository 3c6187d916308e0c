import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkSite } from "../src/check.mjs";
import { relativeLinks } from "../src/texts.mjs";

let folder: string;
beforeEach(() => {
  folder = `${mkdtempSync(join(tmpdir(), "site-"))}/`;
});
afterEach(() => rmSync(folder, { recursive: true }));

function faultsOf(files: Record<string, string>, names: object[] = []): string[] {
  for (const [file, text] of Object.entries(files)) {
    mkdirSync(dirname(folder + file), { recursive: true });
    writeFileSync(folder + file, text);
  }
  const { faults } = checkSite({ texts: new Map([["index", ""]]), names }, folder);
  return faults;
}

const TARGET = '<h2 id="b">b</h2>';

test("links to pages and headings that exist are no faults, from the root and relative", () => {
  const links = '<a href="/a/b.html#b"></a><a href="a/b.html"></a><a href="#c" id="c"></a>';
  expect(faultsOf({ "index.html": links, "a/b.html": TARGET })).toEqual([]);
});

test("a link to a page or a heading that is missing is a fault", () => {
  const links = '<a class="x" href="/a.html"></a><a href="/b.html#c"></a><a href="#d"></a>';
  expect(faultsOf({ "index.html": links, "b.html": TARGET })).toEqual([
    "index.html: no page /a.html",
    "index.html: no heading /b.html#c",
    "index.html: no heading #d",
  ]);
});

test("a page that is missing is a fault, and so is a name without one", () => {
  const name = { name: "open", path: "reference/node/open" };
  expect(faultsOf({ "b.html": TARGET }, [name])).toEqual([
    "index: there is no such page",
    "open: it has no page",
  ]);
});

test("a page may load nothing from another site, but link to it", () => {
  const text = '<script src="https://cdn.test/a.js"></script><a href="https://a.test/">a</a>';
  expect(faultsOf({ "index.html": text })).toEqual(["index.html: it loads https://cdn.test/a.js"]);
});

test("a broken link in a page as text is a fault, except in code", () => {
  const text = "[a](a.md) [b](b.md#c)\n\n```md\n[d](d.md)\n```\n";
  expect(faultsOf({ "index.html": "", "llms.txt": text, "b.md": "" })).toEqual([
    "llms.txt: no file a.md",
  ]);
});

test("links between pages as text are relative", () => {
  const text = "[a](/guides/node#closing) [b](/reference/) [c](/source/a.ts.txt) [d](#e)";
  expect(relativeLinks(text, "guides/server")).toBe(
    "[a](node.md#closing) [b](../reference/index.md) [c](../source/a.ts.txt) [d](#e)",
  );
});
