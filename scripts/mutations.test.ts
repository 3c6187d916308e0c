import { expect, test } from "vitest";
import { applyTo } from "./mutations/apply.mjs";
import { isCalled, readChapter } from "./mutations/book.mjs";

const FILE = "packages/core/src/io/gate.ts";
const GATE = `export class Gate {
  open(by: string): boolean {
    if (this.#locked && by !== "key") return false;
    this.#passed++;
    return true;
  }

  close(): void {
    this.#passed++;
  }
}
`;

function mutationOf(blocks: string) {
  const [mutation] = readChapter("L01.md", `# L1: Gates\n\n## A gate fails\n${blocks}`);
  return mutation!;
}

/** The only changed text, or the faults. */
function applied(blocks: string, files: Record<string, string> = { [FILE]: GATE }) {
  const { changed, faults } = applyTo(new Map(Object.entries(files)), mutationOf(blocks));
  return faults.length > 0 ? faults.join("\n") : [...changed.values()].join("\n");
}

function diff(...lines: string[]): string {
  return `\n\`\`\`diff\n${lines.join("\n")}\n\`\`\`\n`;
}

const UNLOCKED = diff(
  '- if (this.#locked && by !== "key") return false;',
  '+ if (by !== "key") return false;',
);

test("a statement is replaced, and the rest of the file stays", () => {
  expect(applied(UNLOCKED)).toBe(GATE.replace("this.#locked && ", ""));
});

test("it is found in another file, re-indented and wrapped in another way", () => {
  const moved = `const gate = {
    open(by: string) {
      if (
        this.#locked &&
        by !== "key"
      )
        return false;
      call(
        one,
        two,
      );
    },
};
`;
  const files = { "packages/client/src/doors/door.ts": moved, [FILE]: "export {};\n" };
  expect(applied(UNLOCKED, files)).toContain(
    '\n      if (by !== "key") return false;\n      call(',
  );
  expect(applied(diff("- call(one, two);", "+ call(two);"), files)).toContain(
    "\n      call(two);\n",
  );
});

test("a removed statement takes its line along", () => {
  expect(applied(`<!-- in close -->\n${diff("- this.#passed++;")}`)).toBe(
    GATE.replace("void {\n    this.#passed++;\n", "void {\n"),
  );
});

test("a line is added below the one before it, or above the one after it", () => {
  const after = GATE.replace("return true;\n", "return true;\n    // never\n");
  expect(applied(diff("  return true;", "+ // never"))).toBe(after);
  const before = GATE.replace("  close()", "  shut = 1;\n  close()");
  expect(applied(diff("+ shut = 1;", "  close(): void {"))).toBe(before);
});

test("a last comma is optional", () => {
  const files = { [FILE]: "const row = {\n  open: 1,\n  close: 2,\n};\n" };
  expect(applied(diff("- close: 2,", "+ close: 3,"), files)).toContain("\n  close: 3,\n};");
  expect(applied(diff("- close: 2", "+ close: 3"), files)).toContain("\n  close: 3,\n};");
});

test("a statement that is nowhere is a fault that shows the nearest", () => {
  const wrong = diff('- if (this.#locked && by !== "lock") return false;', "+ return false;");
  expect(applied(wrong)).toMatch(
    /^L01\.md: A gate fails: if \(this.*\n {2}is nowhere; nearest:\n {2}packages\/core\/src\/io\/gate\.ts:3: if/,
  );
});

test("one that is in two places is a fault that lists both", () => {
  expect(applied(diff("- this.#passed++;"))).toBe(
    `L01.md: A gate fails: this.#passed++;\n  is in 2 places:\n  ${FILE}:4\n  ${FILE}:9`,
  );
});

test("a name or a line around it says which is meant", () => {
  const after = GATE.replace("    this.#passed++;\n    return", "    return");
  expect(applied(diff("- this.#passed++;", "  return true;"))).toBe(after);
  for (const names of ["open", "Gate.open", "gate.open"]) {
    expect(applied(`<!-- in ${names} -->\n${diff("- this.#passed++;")}`)).toBe(after);
  }
  expect(applied(`<!-- in shut -->\n${diff("- this.#passed++;")}`)).toContain("nowhere in shut");
});

test("only whole lines count", () => {
  expect(applied(diff("- return false;"))).toContain("is nowhere");
  expect(applied(diff("- #passed++;"))).toContain("is nowhere");
});

test("a mutation may have several places, and then needs all of them", () => {
  const both = `<!-- in open -->\n${UNLOCKED}<!-- in close -->\n${diff("- this.#passed++;")}`;
  expect(applied(both)).toBe(
    GATE.replace("this.#locked && ", "").replace("void {\n    this.#passed++;\n", "void {\n"),
  );
  expect(applied(UNLOCKED + diff("- shut();"))).toContain("is nowhere");
});

test("an added import is written from wherever its statement is", () => {
  const block = diff('+ import { lock } from "…/lock.ts";', "  export class Gate {");
  const files = { [FILE]: GATE, "packages/core/src/parts/lock.ts": "" };
  expect(applied(block, files)).toBe(`import { lock } from "../parts/lock.ts";\n${GATE}`);
  expect(applied(block)).toContain("not exactly one file is called lock.ts");
});

test.each([
  ["no block", "", "it has no diff block"],
  ["a block without a place", diff("+ return;"), "nothing says where it belongs"],
  ["a block without a change", diff("  return true;"), "it changes nothing"],
  ["a block that only wraps", diff("- return true;", "+ return", "+ true;"), "it changes nothing"],
  ["a line without a sign", diff("return true;"), "a line begins with r"],
])("%s is a fault", (_, blocks, fault) => {
  expect(applied(blocks)).toBe(`L01.md: A gate fails: ${fault}`);
});

test("a mutation is called by its law or by part of its heading", () => {
  const mutation = mutationOf(UNLOCKED);
  expect(mutation.law).toBe("L1");
  expect(["L1", "gate FAILS", "L10", "fence"].map(isCalled(mutation))).toEqual([
    true,
    true,
    false,
    false,
  ]);
});
