import { readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { expect, test } from "vitest";

// From the bottom up. A file imports from its own row or from rows below, but not from another
// column of its row.
const ROWS = [
  ["base/*"],
  ["message/*"],
  ["state/*", "lifecycle/*"],
  ["parser/*", "serializer/*"],
  ["cycle forget"],
  ["receiver", "transmitter"],
  ["http-connection"],
  ["index"],
  ["transports/*"],
  ["driver/*"],
  ["handover/*"],
  ["io"],
  ["testing/*"],
];

const src = new URL("../src/", import.meta.url);
const files = readdirSync(src, { recursive: true, encoding: "utf8" })
  .map((file) => file.replaceAll("\\", "/"))
  .filter((file) => /(?<!\.test)\.ts$/.test(file));

interface Place {
  readonly row: number;
  readonly column: number;
}

function placeOf(file: string): Place | undefined {
  const name = file.replace(/\.ts$/, "");
  for (const [row, columns] of ROWS.entries()) {
    const column = columns.findIndex((names) =>
      names.split(" ").some((one) => one === name || one === `${posix.dirname(name)}/*`),
    );
    if (column !== -1) return { row, column };
  }
  return undefined;
}

function importsOf(file: string): string[] {
  const text = readFileSync(new URL(file, src), "utf8");
  const found = text.matchAll(/^(?:import|export)\s+(?:type\s)?[^;]*?from\s+"([^"]+)";/gms);
  return [...found]
    .map(([, from]) => from!)
    .filter((from) => from.startsWith("."))
    .map((from) => posix.join(posix.dirname(file), from));
}

test("every file has a place in the rows", () => {
  expect(files.filter((file) => placeOf(file) === undefined)).toEqual([]);
});

test("every import is found: each file but the leaves has one", () => {
  const count = files.reduce((sum, file) => sum + importsOf(file).length, 0);
  const expected = files.reduce(
    (sum, file) =>
      sum + readFileSync(new URL(file, src), "utf8").split(/\bfrom "\.\.?\//).length - 1,
    0,
  );
  expect(count).toBe(expected);
});

test("L19: no file imports upwards", () => {
  const upward = files.flatMap((file) => {
    const here = placeOf(file);
    return importsOf(file)
      .filter((from) => {
        const there = placeOf(from);
        if (here === undefined || there === undefined) return true;
        return there.row === here.row ? there.column !== here.column : there.row > here.row;
      })
      .map((from) => `${file} → ${from}`);
  });
  expect(upward).toEqual([]);
});

test("L19: the core imports nothing but itself, its scanner and llhttp", () => {
  const others = files.flatMap((file) =>
    [...readFileSync(new URL(file, src), "utf8").matchAll(/\bfrom "([^".][^"]*)"/g)]
      .map(([, from]) => `${file} → ${from}`)
      .filter((line) => !/^parser\/(?:llhttp|scanner)-module\.ts → #llhttp$/.test(line)),
  );
  expect(others).toEqual([]);
});

// Time, randomness, waiting, and what only some platforms have. Two files look up platform methods on
// first use.
const PLATFORM =
  /(?<![.\w])(?:Date|Math\.random|performance|process|Buffer|console|crypto|fetch|navigator|window|self|set(?:Timeout|Interval|Immediate)|queueMicrotask|Promise|async|await|require|globalThis)\b/g;
const EXCEPTIONS = [
  "base/octets.ts → Buffer",
  "base/octets.ts → globalThis",
  "parser/wasm.ts → globalThis",
];

test("L19: the core uses no clock, no randomness, no promise and no platform global", () => {
  const core = files.filter(
    (file) => !/^(?:transports|driver|handover|testing)\/|^io\.ts$/.test(file),
  );
  const named = core.flatMap((file) =>
    [...codeOf(file).matchAll(PLATFORM)].map(([name]) => `${file} → ${name}`),
  );
  expect([...new Set(named)].sort()).toEqual(EXCEPTIONS);
});

// Without comments and strings.
function codeOf(file: string): string {
  return readFileSync(new URL(file, src), "utf8")
    .replace(/\/\*.*?\*\//gs, "")
    .replace(/"(?:[^"\\\n]|\\.)*"|`[^`]*`/g, '""')
    .replace(/\/\/.*$/gm, "");
}
