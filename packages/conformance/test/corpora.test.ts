import { expect, test } from "vitest";
import { CORPORA } from "../requirements/corpora.ts";
import { countCorpora, findCorporaProofs, tallyOf } from "../requirements/corpora-proofs.ts";
import { DISAGREEMENTS, type Disagreement } from "../requirements/disagreements.ts";

const root = new URL("../../../", import.meta.url);

test("whatever other parsers' tests read otherwise has a reason, and a story that shows it", () => {
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
  ["a story that is not there", { by: "chunked.md: None" }, "no test shows it: chunked.md: None"],
  ["a chapter that is not there", { by: "x.md: A y" }, "no test shows it: x.md: A y"],
  ["a story that ends otherwise", { ours: "BAD_HOST" }, `${ROW.by} does not end in BAD_HOST`],
  ["a corpus nobody knows", { corpus: "x" }, "no such corpus"],
  ["a reason that names no RFC", { because: "we like it" }, "cites no RFC"],
])("%s is seen", (_, change, fault) => {
  const row = { ...ROW, ...change };
  const named = `${row.corpus} a`;
  expect(findCorporaProofs(CORPORA, [row], root).faults).toEqual([`${named}: ${fault}`]);
});

test("a case that stands there twice, and more of them than there are, are seen", () => {
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
