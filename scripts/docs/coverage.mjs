// docs/evidence/coverage.md: code in core that no test reaches, with reasons.
import { readFileSync } from "node:fs";
import { CORE, readUncovered } from "../tasks/coverage.mjs";
import { NOTE, page } from "./pages.mjs";

/** The page, the entries whose line no longer exists, and a summary line. */
export function coveragePage() {
  const rows = readUncovered();
  const files = [...new Set(rows.map(({ file }) => file))];
  const lines = rows.flatMap(({ code }) => code).length;
  const summary = `${lines} lines in ${files.length} files of core that no test reaches in full, all explained`;
  return {
    text: textOf(files, rows, summary),
    faults: files.flatMap((file) => goneFrom(file, rows)),
    summary,
  };
}

function textOf(files, rows, summary) {
  const sections = files.flatMap((file) => [
    `## ${file}`,
    ...rows
      .filter((row) => row.file === file)
      .flatMap(({ code, because }) => [because, ["```js", ...code, "```"].join("\n")]),
  ]);
  return page(
    "# What no test reaches",
    NOTE("packages/conformance/coverage/uncovered.json"),
    "`npm test` measures which lines and branches of `packages/core/src` the tests reach. It fails for any that is not reached, unless it is listed here with a reason.",
    `**${summary}.**`,
    ...sections,
  );
}

function goneFrom(file, rows) {
  const lines = new Set(
    readFileSync(`${CORE}${file}`, "utf8")
      .split("\n")
      .map((line) => line.trim()),
  );
  return rows
    .filter((row) => row.file === file)
    .flatMap(({ code }) => code)
    .filter((line) => !lines.has(line))
    .map((line) => `uncovered.json: ${file} has no line ${line}`);
}
