import { expect, test } from "vitest";
import { CORPORA } from "../../requirements/corpora.ts";
import { countCorpora, findCorporaProofs, tallyOf } from "../../requirements/corpora-proofs.ts";
import type { Disagreement } from "../../requirements/disagreement.ts";
import { DISAGREEMENTS } from "../../requirements/disagreements.ts";

const root = new URL("../../../../", import.meta.url);

test("every case that other parsers read differently has a reason, and a story that shows it", () => {
  const { shown, faults } = findCorporaProofs(CORPORA, DISAGREEMENTS, root);
  expect(faults).toEqual([]);
  expect(shown.size).toBe(DISAGREEMENTS.length);
  console.log(countCorpora(CORPORA, DISAGREEMENTS));
});

const ROW: Disagreement = {
  corpus: "llhttp",
  cases: ["a"],
  says: "",
  theirs: "reads it",
  ours: "MALFORMED_CHUNK",
  verdict: "stricter",
  because: "RFC 9112 §7.1",
  by: "chunked.md: A negative size",
};

test.each<[string, Partial<Disagreement>, string]>([
  ["a missing story", { by: "chunked.md: None" }, "no test shows it: chunked.md: None"],
  ["a missing chapter", { by: "x.md: A y" }, "no test shows it: x.md: A y"],
  ["a story with a different end", { ours: "BAD_HOST" }, `${ROW.by} does not end in BAD_HOST`],
  ["an unknown corpus", { corpus: "x" }, "no such corpus"],
  ["a reason without an RFC", { because: "we like it" }, "cites no RFC"],
])("%s is found", (_, change, fault) => {
  const row = { ...ROW, ...change };
  const named = `${row.corpus} a`;
  expect(findCorporaProofs(CORPORA, [row], root).faults).toEqual([`${named}: ${fault}`]);
});

test("duplicate cases, and more rows than cases, are found", () => {
  const corpus = { ...CORPORA[0]!, cases: 2, skipped: [{ cases: 1, because: "" }] };
  expect(findCorporaProofs([corpus], [ROW], root).faults).toEqual([]);
  expect(tallyOf(corpus, [ROW])).toEqual({
    used: 1,
    same: 0,
    stricter: 1,
    different: 0,
    skipped: 1,
  });
  expect(findCorporaProofs([corpus], [ROW, ROW], root).faults).toEqual([
    "llhttp a is listed twice",
    "llhttp has more rows than cases",
  ]);
});
