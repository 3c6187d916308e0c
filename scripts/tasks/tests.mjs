// Runs the tests, counts them, and checks the coverage of core.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { coverageArguments, judgeCoverage } from "./coverage.mjs";
import { newestNode } from "./npm.mjs";
import { exitCode, local, node } from "./run.mjs";

/** Runs the tests with the Node at `program`; returns the counts and the exit code. */
export async function runTests(args, program = process.execPath) {
  const folder = mkdtempSync(join(tmpdir(), "upgrade-test-"));
  const file = join(folder, "counts.json");
  const reporters = ["--reporter=./scripts/tasks/count-tests.mjs"];
  if (!args.some((arg) => arg.startsWith("--reporter"))) reporters.unshift("--reporter=default");
  const measured = args.length === 0 ? coverageArguments(folder) : [];
  const code = await exitCode(
    program,
    [local("vitest/vitest.mjs"), "run", ...reporters, ...measured, ...args],
    { env: { UPGRADE_TEST_COUNTS: file } },
  );
  // Without the file, vitest did not get to running tests.
  const counts = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : { passed: 0, failed: code === 0 ? 0 : 1 };
  const isCovered = reportCoverage(join(folder, "coverage-final.json"), counts.failed > 0);
  rmSync(folder, { recursive: true, force: true });
  return { ...counts, code: code !== 0 || counts.failed > 0 || !isCovered ? code || 1 : 0 };
}

/** If the newest Node cannot be fetched, that counts as a failed test. */
export async function runTestsOnNewest(args) {
  try {
    const newest = newestNode();
    if (newest !== undefined) return await runTests(args, newest);
    console.log(`this one is as new, or there is none for ${process.platform} ${process.arch}`);
    return { passed: 0, failed: 0, code: 0 };
  } catch (error) {
    console.error(error.message);
    return { passed: 0, failed: 1, code: 1 };
  }
}

/** Plays the fixtures split at every byte, and over failing transports. */
export async function runHostile(args) {
  const all = ["run", "--project=conformance", "fixtures-", ...args];
  await node(local("vitest/vitest.mjs"), all, { env: { UPGRADE_EVERY_MOMENT: "1" } });
}

/** Prints the counts of all runs in the last line, and exits if any run failed. */
export function conclude(results) {
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  const { code = 0 } = results.find((result) => result.code !== 0) ?? {};
  if (code !== 0) process.exit(code);
}

/** False if something is uncovered without a reason. After a failed test that is not reported. */
function reportCoverage(file, haveFailed) {
  if (!existsSync(file)) return true;
  const { says, faults } = judgeCoverage(file);
  if (!haveFailed) for (const fault of faults) console.error(fault);
  console.log(says);
  return haveFailed || faults.length === 0;
}
