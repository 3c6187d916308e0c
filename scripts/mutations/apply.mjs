// Applies a mutation: every place must be found exactly once in the sources.
import { basename, posix } from "node:path";
import { findPlace, lineAt, nearestTo, tokensOf } from "./find.mjs";

/** `{ changed, faults }`: the text of each file that the mutation changes, or why it does not fit. */
export function applyTo(sources, mutation) {
  const { chapter, says, places } = mutation;
  const after = new Map(sources);
  const faults = places.length === 0 ? ["it has no diff block"] : [];
  for (const place of places) {
    const fault = faultOf(place) ?? applyPlace(after, place);
    if (fault !== undefined) faults.push(fault);
  }
  const changed = new Map([...after].filter(([file, text]) => text !== sources.get(file)));
  return { changed, faults: faults.map((fault) => `${chapter}: ${says}: ${fault}`) };
}

function faultOf({ lines }) {
  const has = (wanted) => lines.some(({ sign }) => sign === wanted);
  const stray = lines.find(({ sign }) => !"-+ ".includes(sign));
  if (stray !== undefined) return `a line begins with ${stray.sign}`;
  if (!has("-") && !has(" ")) return "nothing says where it belongs";
  if (!has("-") && !has("+")) return "it changes nothing";
  const side = (sign) => lines.filter((line) => line.sign !== sign).map(({ code }) => code);
  const [before, after] = ["+", "-"].map((sign) => wordsOf(side(sign).join("\n")));
  return before === after ? "it changes nothing" : undefined;
}

function wordsOf(code) {
  return tokensOf(code)
    .map(({ text }) => text)
    .join(" ");
}

function applyPlace(sources, place) {
  const found = findPlace(sources, place);
  const quoted = place.lines
    .filter(({ sign }) => sign !== "+")
    .map(({ code }) => code)
    .join(" ");
  const within = place.within.length > 0 ? ` in ${place.within.join(".")}` : "";
  if (found.length === 0)
    return [`${quoted}\n  is nowhere${within}; nearest:`, ...nearestTo(sources, place)].join(
      "\n  ",
    );
  if (found.length > 1) {
    const at = found.map(({ file, lines }) => {
      return `${file}:${lineAt(sources.get(file), lines.flat()[0].start)}`;
    });
    return [`${quoted}\n  is in ${at.length} places${within}:`, ...at].join("\n  ");
  }
  const [{ file, lines }] = found;
  let text = sources.get(file);
  for (const { start, end, code } of editsOf(text, place.lines, lines).reverse()) {
    text = text.slice(0, start) + withPaths(code, file, sources) + text.slice(end);
  }
  sources.set(file, text);
  const [, name] = /"…\/(.+?)"/.exec(text) ?? [];
  return name === undefined ? undefined : `not exactly one file is called ${name}`;
}

// One edit for each run of changed lines, in order.
function editsOf(text, lines, found) {
  const edits = [];
  for (let i = 0; i < lines.length; i++) {
    if (lines[i].sign === " ") continue;
    const from = i;
    while (i < lines.length && lines[i].sign !== " ") i++;
    edits.push(editOf(text, lines, found, from, i));
  }
  return edits;
}

function editOf(text, lines, found, from, to) {
  const run = lines.slice(from, to);
  const removed = found.slice(from, to).flat();
  const added = run.filter(({ sign }) => sign === "+");
  if (removed.length > 0) {
    const [{ start }] = removed;
    const { end } = removed.at(-1);
    if (added.length === 0) return removalOf(text, start, end);
    const { indent } = run.find(({ sign }) => sign === "-");
    return { start, end, code: indented(added, indent, text, start) };
  }
  // Added only: below the line before, or else above the line after.
  if (from > 0) {
    const { start, end } = found[from - 1].at(-1);
    const code = indented(added, lines[from - 1].indent, text, start);
    return { start: end, end, code: `\n${indentAt(text, start)}${code}` };
  }
  const [{ start }] = found[to];
  const code = indented(added, lines[to].indent, text, start);
  return { start, end: start, code: `${code}\n${indentAt(text, start)}` };
}

// With the line, if nothing else is on it.
function removalOf(text, start, end) {
  const before = text.lastIndexOf("\n", start - 1) + 1;
  const after = text.indexOf("\n", end) + 1;
  const rest = text.slice(before, start) + text.slice(end, after);
  return rest.trim() === "" ? { start: before, end: after, code: "" } : { start, end, code: "" };
}

function indented(added, base, text, start) {
  return added
    .map(({ code, indent }) => " ".repeat(Math.max(0, indent - base)) + code)
    .join(`\n${indentAt(text, start)}`);
}

function indentAt(text, offset) {
  return /^[ \t]*/.exec(text.slice(text.lastIndexOf("\n", offset - 1) + 1))[0];
}

// "…/name.ts" is the path from this file to the only one of that name.
function withPaths(code, from, sources) {
  return code.replace(/"…\/([\w.-]+)"/g, (all, name) => {
    const [file, ...others] = [...sources.keys()].filter((path) => basename(path) === name);
    if (file === undefined || others.length > 0) return all;
    const path = posix.relative(posix.dirname(from), file);
    return `"${path.startsWith(".") ? path : `./${path}`}"`;
  });
}
