// Reads the laws from ARCHITECTURE, and judges the mutations that break them before any is tried.
import { readFileSync } from "node:fs";
import { applyTo } from "../mutations/apply.mjs";
import { FUZZER, root } from "../mutations/book.mjs";
import { testsOfMember } from "./named.mjs";

/** Each law needs at least this many mutations. */
const MUTATIONS_PER_LAW = 2;

/** Every law with its text, in order: `{ law: "L7", says }`. */
export function readLaws() {
  const text = readFileSync(new URL("ARCHITECTURE.md", root), "utf8");
  const rows = text.matchAll(/^\| \*\*(L[0-9]+)\*\* \| (.+) \|$/gm);
  return [...rows].map(([, law, says]) => ({ law, says }));
}

/** The faults of the laws, of their mutations and of the tests that name them. */
export function faultsOf(laws, book, named, sources) {
  const perLaw = laws.flatMap(({ law }) => {
    const count = book.filter((mutation) => mutation.law === law).length;
    return [
      ...(count < MUTATIONS_PER_LAW ? [`${law} has ${count} mutations that break it`] : []),
      ...(named.some((test) => test.laws.includes(law)) ? [] : [`no test names ${law}`]),
    ];
  });
  return [...book.flatMap((mutation) => faultsIn(laws, book, mutation, sources)), ...perLaw];
}

function faultsIn(laws, book, mutation, sources) {
  const { chapter, law, member, says } = mutation;
  const { faults } = applyTo(sources, mutation);
  const isLaw = laws.some((one) => one.law === law);
  const isMember = member !== undefined && testsOfMember(member).length > 0;
  if (chapter !== FUZZER && !isLaw && !isMember) {
    faults.push(`${chapter}: its title must begin with a law or a package`);
  }
  if (!/^[A-Z].*[^.]$/.test(says)) faults.push(`${chapter}: ${says}: it must say what breaks`);
  const same = book.find((one) => one.chapter === chapter && one.says === says);
  if (same !== mutation) faults.push(`${chapter}: ${says}: it is there twice`);
  return faults;
}
