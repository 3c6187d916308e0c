// docs/coverage.md: code in core that no test reaches, with reasons.
import { readFileSync } from "node:fs";
import { CORE, readUncovered } from "../tasks/coverage.mjs";
import { NOTE, page } from "./pages.mjs";

/** The page, and the entries whose line no longer exists. */
export function coveragePage() {
  const rows = readUncovered();
  const files = [...new Set(rows.map(({ file }) => file))];
  return { text: textOf(files, rows), faults: files.flatMap((file) => goneFrom(file, rows)) };
}

function textOf(files, rows) {
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
