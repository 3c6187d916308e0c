// A vitest reporter for scripts/laws.mjs: prints one line with the first failed test, if any.

export default class ReportFailure {
  onTestRunEnd(files, errors) {
    let passed = 0;
    let failed;
    const broken = errors.map(({ message }) => message);
    for (const file of files) {
      broken.push(...file.errors().map(({ message }) => message));
      for (const suite of file.children.allSuites()) {
        broken.push(...suite.errors().map(({ message }) => message));
      }
      for (const test of file.children.allTests()) {
        const { state } = test.result();
        if (state === "passed") passed++;
        else if (state === "failed") failed ??= test.fullName;
      }
    }
    console.log(`result: ${JSON.stringify({ passed, failed, broken: broken[0] })}`);
  }
}
