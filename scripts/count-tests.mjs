// A vitest reporter that says nothing: it writes how many tests passed and failed into a file,
// from which scripts/x.mjs makes the last line of its output.
import { writeFileSync } from "node:fs";

export default class CountTests {
  onTestRunEnd(files, errors) {
    let passed = 0;
    // Errors outside of any test fail the run as well.
    let failed = errors.length;
    for (const file of files) {
      for (const test of file.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed++;
        else if (state === "failed") failed++;
      }
      // Files that cannot be loaded, and suites whose hooks throw.
      failed += file.errors().length;
      for (const suite of file.children.allSuites()) failed += suite.errors().length;
    }
    writeFileSync(process.env.UPGRADE_TEST_COUNTS, JSON.stringify({ passed, failed }));
  }
}
