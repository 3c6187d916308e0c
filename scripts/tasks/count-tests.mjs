// A silent vitest reporter: writes the number of passed and failed tests to a file, from which
// scripts/tasks.mjs prints the last line of its output.
import { writeFileSync } from "node:fs";

export default class CountTests {
  onTestRunEnd(files, errors) {
    let passed = 0;
    // Errors outside any test fail the run, too.
    let failed = errors.length;
    for (const file of files) {
      for (const test of file.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed++;
        else if (state === "failed") failed++;
      }
      // Files that fail to load, and suites whose hooks throw.
      failed += file.errors().length;
      for (const suite of file.children.allSuites()) failed += suite.errors().length;
    }
    writeFileSync(process.env.UPGRADE_TEST_COUNTS, JSON.stringify({ passed, failed }));
  }
}
