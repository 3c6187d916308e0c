import { describe, expect, test } from "vitest";
import { referencePages } from "../src/reference/pages.mjs";

const { pages, names, faults } = referencePages((path: string, anchor?: string) =>
  anchor === undefined ? path : `${path}#${anchor}`,
);
const page = (path: string): string => pages.get(path) ?? "";

test("every public name has a page, and no doc comment a link that leads nowhere", () => {
  expect(names.length).toBeGreaterThan(150);
  expect(new Set(names.map(({ path }: { path: string }) => path.toLowerCase())).size).toBe(
    names.length,
  );
  for (const { path } of names) expect(page(path)).toContain("```ts\n");
  expect(faults).toEqual([]);
});

describe("a page", () => {
  test("shows a function as it is declared, without its body", () => {
    expect(page("reference/client/upgrade")).toContain(
      "function upgrade<IO extends Io, P extends Proposable = string>(\n  io: IO,\n",
    );
  });

  test("makes a parameter with a default optional, and links the types that are used", () => {
    const text = page("reference/client/upgrade");
    expect(text).toContain("\n  options?: UpgradeOptions,\n): Promise<");
    expect(text).toContain("[`UpgradeOptions`](reference/client/UpgradeOptions)");
  });

  test("shows overloads, and not their implementation", () => {
    expect(page("reference/node/open").match(/^function open\(/gm)).toHaveLength(3);
  });

  test("names the class of an error that is thrown", () => {
    expect(page("reference/node/open")).toContain(
      "[`ProxyRefused`](reference/node/ProxyRefused): ",
    );
  });

  test("has no member that is private or internal", () => {
    const text = page("reference/client/Headers");
    expect(text).toContain("constructor(init?: HeadersInit);");
    expect(text).not.toMatch(/CHECKED|#lines/);
  });

  test("lists what is inherited, an alias of a table included", () => {
    expect(page("reference/node/ServeOptions")).toMatch(
      /## From \[`LimitOptions`\].*\n\n.*`maxHeadBytes`/,
    );
  });

  test("writes out a union of names that are not public", () => {
    expect(page("reference/client/Phase")).toContain('\n  | "http"\n');
  });

  test("marks what only authors of transports need", () => {
    expect(page("reference/core-io/memoryPair")).toContain("For authors of transports");
    expect(page("reference/client/Connection")).not.toContain("For authors of transports");
  });
});
