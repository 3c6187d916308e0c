// Finds the statements of a mutation in the sources, wherever they are and however they are wrapped.
import { basename } from "node:path";
import ts from "typescript";

const TOKEN = /[\w$#]+|\S/g;
const CLOSING = new Set([")", "]", "}"]);
const SHOWN = 3;

const tokensByText = new Map();

/** The words and signs of a text: `{ text, start, end }`. */
export function tokensOf(text) {
  let tokens = tokensByText.get(text);
  if (tokens === undefined) {
    tokens = [...text.matchAll(TOKEN)].map(({ 0: word, index }) => {
      return { text: word, start: index, end: index + word.length };
    });
    tokensByText.set(text, tokens);
  }
  return tokens;
}

/**
 * Every match of a place in the sources: `{ file, lines }`, where `lines` holds, for each line of the
 * place, the tokens of the source that it matches.
 */
export function findPlace(sources, { lines, within }) {
  const wanted = lines.flatMap(({ sign, code }, line) =>
    sign === "+" ? [] : tokensOf(code).map(({ text }) => ({ text, line })),
  );
  return [...sources].flatMap(([file, text]) =>
    matchesIn(text, wanted, lines.length)
      .filter((found) => isWithin(file, text, found.flat()[0].start, within))
      .map((found) => ({ file, lines: found })),
  );
}

/** The lines of the sources that resemble a place most, as `file:line: code`. */
export function nearestTo(sources, { lines }) {
  const [{ code }] = [...lines.filter(({ sign }) => sign === "-"), ...lines];
  const words = new Set(tokensOf(code).map(({ text }) => text));
  const rows = [...sources].flatMap(([file, text]) =>
    text.split("\n").map((line, i) => {
      return { says: `${file}:${i + 1}: ${line.trim()}`, likeness: likeness(words, line) };
    }),
  );
  rows.sort((a, b) => b.likeness - a.likeness);
  return rows.slice(0, SHOWN).map(({ says }) => says);
}

/** The line number of an offset. */
export function lineAt(text, offset) {
  return text.slice(0, offset).split("\n").length;
}

function matchesIn(text, wanted, count) {
  const tokens = tokensOf(text);
  const found = [];
  for (let at = 0; at < tokens.length; at++) {
    if (tokens[at].text !== wanted[0]?.text || !beginsLine(text, tokens[at].start)) continue;
    const lines = matchAt(tokens, at, wanted, count);
    if (lines !== undefined && endsLine(text, lines.flat().at(-1).end)) found.push(lines);
  }
  return found;
}

// A comma before a closing bracket depends on how the code is wrapped: on either side it is optional.
function matchAt(tokens, from, wanted, count) {
  const lines = Array.from({ length: count }, () => []);
  let at = from;
  for (let i = 0; i < wanted.length; i++) {
    const { text, line } = wanted[i];
    if (tokens[at]?.text === "," && CLOSING.has(text)) at++;
    const token = tokens[at];
    if (token === undefined) return undefined;
    if (token.text === text) {
      lines[line].push(token);
      at++;
    } else if (text !== "," || !CLOSING.has(token.text)) return undefined;
    else if (wanted[i + 1] !== undefined && wanted[i + 1].text !== token.text) return undefined;
  }
  return lines;
}

function beginsLine(text, start) {
  return /(?:^|\n)[ \t]*$/.test(text.slice(Math.max(0, start - 80), start));
}

function endsLine(text, end) {
  return /^,?[ \t]*(?:\/\/.*)?(?:\n|$)/.test(text.slice(end, end + 200));
}

function isWithin(file, text, offset, within) {
  if (within.length === 0) return true;
  const names = [basename(file, ".ts"), ...namesAround(file, text, offset)];
  return within.every((name) => names.includes(name));
}

/** The names of the declarations around an offset, from the outermost to the innermost. */
export function namesAround(file, text, offset) {
  const names = [];
  const visit = (node) => {
    if (offset < node.getStart(source) || offset >= node.end) return;
    if (ts.isConstructorDeclaration(node)) names.push("constructor");
    else if (node.name?.text !== undefined) names.push(node.name.text);
    ts.forEachChild(node, visit);
  };
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  ts.forEachChild(source, visit);
  return names;
}

// How many of the words two lines share, of all they have.
function likeness(words, line) {
  const others = new Set(tokensOf(line).map(({ text }) => text));
  const shared = [...others].filter((word) => words.has(word)).length;
  return shared / (words.size + others.size - shared);
}
