import { expect, test } from "vitest";
import { countRows, faultsOf, findProofs } from "../requirements/proofs.ts";
import { ROWS } from "../requirements/rows.ts";

const root = new URL("../../../", import.meta.url);

test("every rule of the RFCs has a test or a reason", () => {
  expect(faultsOf(ROWS, findProofs(root), root)).toEqual([]);
  expect(new Set(ROWS.map(({ id }) => id)).size).toBe(ROWS.length);
  console.log(countRows(ROWS));
});

test("a rule without either, a file that is gone and a name of no rule are seen", () => {
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
    "A02 is said to be obeyed in packages/core/src/gone.ts, which is not there",
    "A03 is obeyed nowhere",
    "x.test.ts: a title: no rule A05",
  ]);
});
