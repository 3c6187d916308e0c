// Reads the laws from ARCHITECTURE, and the one-line patches that break them.
import { readdirSync, readFileSync } from "node:fs";

export const root = new URL("../../", import.meta.url);
export const FOLDER = "packages/conformance/laws/";

/** Each law needs at least this many patches. */
const PATCHES_PER_LAW = 2;

const NAME = /^(L[0-9]{2})-[a-z0-9-]+\.patch$/;

/** Every law with its text, in order: `{ law: "L7", says }`. */
export function readLaws() {
  const rows = read("ARCHITECTURE.md").matchAll(/^\| \*\*(L[0-9]+)\*\* \| (.+) \|$/gm);
  return [...rows].map(([, law, says]) => ({ law, says }));
}

/** Every patch, sorted by file name. */
export function readPatches() {
  const names = readdirSync(new URL(FOLDER, root)).filter((name) => name.endsWith(".patch"));
  return names.sort().map((name) => parse(name, read(`${FOLDER}${name}`)));
}

// A sentence that says what breaks, then a unified diff with one hunk.
function parse(name, text) {
  const [, file] = /^\+\+\+ b\/(.+)$/m.exec(text) ?? [];
  const lines = text.slice(text.indexOf("\n@@")).split("\n").slice(2);
  const body = lines.filter((line) => /^[ +-]/.test(line));
  const side = (drop) =>
    body.filter((line) => line[0] !== drop).map((line) => `${line.slice(1)}\n`);
  return {
    name,
    law: name.replace(/^L0?([0-9]+)-.*$/, "L$1"),
    says: text.split("\n---", 1)[0].replaceAll("\n", " ").trim(),
    file: file ?? "",
    before: side("+").join(""),
    after: side("-").join(""),
    added: body.filter((line) => line[0] === "+").length,
    removed: body.filter((line) => line[0] === "-").length,
  };
}

/** The patched text; undefined unless the patch fits in exactly one place. */
export function applyTo(source, { before, after }) {
  const [head, tail, ...others] = source.split(before);
  if (tail === undefined || others.length > 0) return undefined;
  return `${head}${after}${tail}`;
}

/** The faults of the patches themselves, before any is tried. */
export function faultsOf(laws, patches) {
  const faults = patches.flatMap((patch) => {
    const fault = faultOf(laws, patch);
    return fault === undefined ? [] : [`${FOLDER}${patch.name}: ${fault}`];
  });
  for (const { law } of laws) {
    const count = patches.filter((patch) => patch.law === law).length;
    if (count < PATCHES_PER_LAW) faults.push(`${law} has ${count} patches that break it`);
  }
  return faults;
}

function faultOf(laws, { name, law, says, file, added, removed, ...sides }) {
  if (!NAME.test(name)) return "the name must be like L07-what-breaks.patch";
  if (!laws.some((one) => one.law === law)) return `there is no law ${law}`;
  if (!/^[A-Z].*\.$/.test(says)) return "the first line must be a sentence that says what breaks";
  if (!/^packages\/(?:core|client|server)\/src\//.test(file)) return "it must change a source file";
  if (added > 1 || removed > 1 || added + removed === 0) return "it must change exactly one line";
  if (applyTo(read(file), sides) === undefined)
    return `it does not fit exactly one place in ${file}`;
  return undefined;
}

function read(file) {
  return readFileSync(new URL(file, root), "utf8");
}
