// Reads the book of mutations: packages/conformance/mutations/README.md documents its format.
import { readdirSync, readFileSync } from "node:fs";

export const root = new URL("../../", import.meta.url);
export const BOOK = "packages/conformance/mutations/";
/** The chapter of those that the fuzzer must find; the others belong to a law or a package each. */
export const FUZZER = "fuzzer.md";

/** Every mutation, in the order of the chapters. */
export function readBook() {
  const chapters = readdirSync(new URL(BOOK, root)).filter((name) =>
    /^(?!README).*\.md$/.test(name),
  );
  return chapters
    .sort()
    .flatMap((name) => readChapter(name, readFileSync(new URL(`${BOOK}${name}`, root), "utf8")));
}

/** Whether a mutation is meant by a word: its law or package, or part of what it says. */
export function isCalled({ law, member, says }) {
  return (word) =>
    /^(?:L[0-9]+|@upgrade\/.+)$/.test(word)
      ? word === law || word === `@upgrade/${member}`
      : says.toLowerCase().includes(word.toLowerCase());
}

/**
 * The mutations of a chapter: `{ chapter, law, member, says, places }`. `law` is `L7`, or
 * `member` is `node`, if the chapter's title begins with `L7:` or `@upgrade/node:`; each place is
 * `{ within, lines }`.
 */
export function readChapter(chapter, text) {
  const [title, ...sections] = text.split(/^## /m);
  const [, law, member] = /^# (?:(L[0-9]+)|@upgrade\/([a-z]+)):/.exec(title) ?? [];
  return sections.map((section) => {
    const [says] = section.split("\n", 1);
    return { chapter, law, member, says: says.trim(), places: placesIn(section) };
  });
}

// A comment narrows all blocks below it, up to the next comment.
function placesIn(section) {
  const places = [];
  let within = [];
  for (const [, names, code] of section.matchAll(/^<!-- in (.+?) -->$|^```diff\n(.*?)^```$/gms)) {
    if (names !== undefined) within = names.split(".");
    else places.push({ within, lines: code.split("\n").filter(Boolean).map(lineOf) });
  }
  return places;
}

function lineOf(line) {
  const code = line.slice(1).trim();
  return { sign: line[0], code, indent: line.slice(1).search(/\S|$/) };
}
