import { expect, test } from "vitest";
import { BEHAVIORS, CORNERS } from "../../requirements/hyper.ts";
import { countBehaviors, findHyperProofs } from "../../requirements/hyper-proofs.ts";
import { countRows, faultsOf, findProofs } from "../../requirements/proofs.ts";
import { ROWS } from "../../requirements/rows.ts";

const root = new URL("../../../../", import.meta.url);

test("every rule of the RFCs has a test or a reason", () => {
  expect(faultsOf(ROWS, findProofs(root), root)).toEqual([]);
  expect(new Set(ROWS.map(({ id }) => id)).size).toBe(ROWS.length);
  console.log(countRows(ROWS));
});

test("a rule without either, a missing file and an unknown rule are found", () => {
  const row = { section: "", level: "MUST", role: "both", says: "" } as const;
  const rows = [
    { ...row, id: "A01", at: "core/src/index.ts" },
    { ...row, id: "A02", at: "core/src/gone.ts" },
    { ...row, id: "A03" },
    { ...row, id: "A04", because: "a reason" },
  ];
  const proof = { file: "x.test.ts", title: "a title", ids: ["A02", "A03", "A05", "L1"] };
  expect(faultsOf(rows, [proof], root)).toEqual([
    "A01 has neither a test nor a reason",
    "A02 names packages/core/src/gone.ts, which does not exist",
    "A03 names no file",
    "x.test.ts: a title: no rule A05",
  ]);
});

test("every behavior of hyper has a test, and a reason if ours differs", () => {
  expect(findHyperProofs(BEHAVIORS, CORNERS, root).faults).toEqual([]);
  console.log(countBehaviors(BEHAVIORS));
});

test("a behavior without a test, without a reason or with a missing test is found", () => {
  const rows = [
    { n: 1, says: "", verdict: "same" },
    { n: 1000, says: "", verdict: "same" },
    { n: 1001, says: "", verdict: "same", by: "chunked.md: No such story" },
    { n: 1002, says: "", verdict: "stricter", by: "chunked.md: A negative size" },
  ] as const;
  const { faults } = findHyperProofs(rows, [], root);
  expect(faults).toContain("hyper 1000: no test shows it");
  expect(faults).toContain("hyper 1001: no test shows it: chunked.md: No such story");
  expect(faults).toContain("hyper 1002: stricter, why?");
  expect(faults.filter((fault) => fault.startsWith("hyper 1:"))).toEqual([]);
  // Other numbers in the tests are not in this table.
  expect(faults.some((fault) => fault.endsWith("no behavior 179"))).toBe(true);
});
