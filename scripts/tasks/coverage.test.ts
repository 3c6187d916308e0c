import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CORE, judgeCoverage } from "./coverage.mjs";

// As vitest writes it, for one file: a statement on each of the lines, and one branch on the first.
function judged(name: string, lines: readonly number[], times: number) {
  const folder = mkdtempSync(join(tmpdir(), "upgrade-coverage-"));
  const place = (line: number) => ({ start: { line, column: 0 }, end: { line, column: 9 } });
  const found = {
    statementMap: Object.fromEntries(lines.map((line) => [line, place(line)])),
    s: Object.fromEntries(lines.map((line) => [line, times])),
    fnMap: {},
    f: {},
    branchMap: { 0: { loc: place(lines[0]!), locations: [place(lines[0]!), { start: {} }] } },
    b: { 0: [1, times] },
  };
  const file = join(folder, "coverage-final.json");
  writeFileSync(file, JSON.stringify({ [`${CORE}${name}`]: found }));
  const result = judgeCoverage(file);
  rmSync(folder, { recursive: true });
  return result;
}

test("what is reached has no fault", () => {
  expect(judged("base/role.ts", [1, 2], 1)).toEqual({
    says: "coverage of core: 100.0 % of lines, 100.0 % of branches",
    faults: [],
  });
});

test("a line that is not reached is a fault, reported once", () => {
  const { says, faults } = judged("base/role.ts", [1], 0);
  expect(says).toBe("coverage of core: 0.0 % of lines, 50.0 % of branches");
  expect(faults).toEqual([expect.stringMatching(/^base\/role\.ts:1 is not covered: \/\/ /)]);
});

test("a line that is listed with a reason is not a fault", () => {
  const listed = "if (this.#end !== undefined) return;";
  const source = readFileSync(`${CORE}driver/ending.ts`, "utf8").split("\n");
  const line = source.findIndex((text) => text.trim() === listed) + 1;
  expect(judged("driver/ending.ts", [line], 0).faults).toEqual([]);
});
