import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { doWithout, PROGRAMS, type ProgramName } from "../../src/installed.ts";

const NAMES = Object.keys(PROGRAMS) as ProgramName[];
const read = (path: string) =>
  readFileSync(new URL(`../../../../${path}`, import.meta.url), "utf8");

describe.each(NAMES)("without %s", (name) => {
  test.each([undefined, ""])("a test is skipped, with a reason (CI=%s)", (ci) => {
    const reasons: string[] = [];
    doWithout(name, ci, (why) => reasons.push(why));
    expect(reasons).toEqual([expect.stringContaining(`apt-get install ${PROGRAMS[name].debian}`)]);
  });

  test.each(["true", "1"])("a test fails in CI (CI=%s)", (ci) => {
    const skip = () => expect.unreachable("skipped");
    expect(() => doWithout(name, ci, skip)).toThrow(`${name} is not installed`);
  });

  test("CI installs it, and CONTRIBUTING says so", () => {
    const { debian } = PROGRAMS[name];
    expect(read(".ci/programs")).toMatch(new RegExp(`missing\\+=\\(${debian}\\)`));
    expect(read("CONTRIBUTING.md")).toContain(`\`${debian}\``);
  });
});
