// Checks the tests' coverage of core: every line and branch that is not reached must be listed with
// a reason. The list identifies lines by their text, so edits elsewhere do not break it.
import { readFileSync } from "node:fs";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";

export const CORE = fileURLToPath(new URL("../../packages/core/src/", import.meta.url));
const LIST = new URL("../../packages/conformance/coverage/uncovered.json", import.meta.url);

/** The vitest arguments to write `coverage-final.json` into a folder. */
export const coverageArguments = (folder) => [
  "--coverage.enabled",
  "--coverage.provider=v8",
  "--coverage.include=packages/core/src/**/*.ts",
  "--coverage.reporter=json",
  "--coverage.reportOnFailure",
  `--coverage.reportsDirectory=${folder}`,
];

/** The list: `{ file, code: lines, because }`. */
export function readUncovered() {
  return JSON.parse(readFileSync(LIST, "utf8"));
}

/** A summary line, and a fault for each uncovered place without a reason. */
export function judgeCoverage(file) {
  const lines = { all: 0, covered: 0 };
  const branches = { all: 0, covered: 0 };
  const faults = new Set();
  const known = new Set(
    readUncovered().flatMap(({ file, code }) => code.map((line) => `${file}: ${line}`)),
  );
  for (const [path, found] of Object.entries(JSON.parse(readFileSync(file, "utf8")))) {
    const name = relative(CORE, path).replaceAll("\\", "/");
    const text = readFileSync(path, "utf8").split("\n");
    const miss = (line) => {
      const code = text[line - 1].trim();
      if (!known.has(`${name}: ${code}`)) faults.add(`${name}:${line} is not covered: ${code}`);
    };
    countLines(found, lines, miss);
    countBranches(found, branches, miss);
  }
  return {
    says: `coverage of core: ${percent(lines)} of lines, ${percent(branches)} of branches`,
    faults: [...faults],
  };
}

function countLines({ statementMap, s, fnMap, f }, total, miss) {
  const reached = new Map();
  for (const [id, { start }] of Object.entries(statementMap)) {
    reached.set(start.line, (reached.get(start.line) ?? 0) + s[id]);
    if (s[id] === 0) miss(start.line);
  }
  for (const [id, { loc }] of Object.entries(fnMap)) if (f[id] === 0) miss(loc.start.line);
  total.all += reached.size;
  for (const times of reached.values()) if (times > 0) total.covered++;
}

function countBranches({ branchMap, b }, total, miss) {
  for (const [id, { loc, locations }] of Object.entries(branchMap)) {
    for (const [at, times] of b[id].entries()) {
      total.all++;
      if (times > 0) total.covered++;
      // An implicit else has no location of its own.
      else miss(locations[at]?.start?.line ?? loc.start.line);
    }
  }
}

// Truncated, not rounded: 100 % means all.
function percent({ all, covered }) {
  return `${(Math.floor((covered / all) * 1_000) / 10).toFixed(1)} %`;
}
