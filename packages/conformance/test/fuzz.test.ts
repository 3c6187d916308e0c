import { expect, test } from "vitest";
import { readSeeds } from "../fuzz/corpus.ts";
import { fuzz } from "../fuzz/fuzz.ts";

const seeds = readSeeds(new URL("../fixtures/", import.meta.url));
const slice = (seed: number, most: number) =>
  fuzz({ seed, seeds, goesOn: (executions) => executions < most });

test("a slice of what `pnpm fuzz` does for as long as one likes: nothing is found", () => {
  const { finding, fault, distinct, conversations, traces } = slice(9_112, 1_500);
  expect(finding).toBe("");
  expect(fault).toBeUndefined();
  // It has done something: most inputs are new, and many of them had consequences of their own.
  expect(distinct).toBeGreaterThan(1_300);
  expect(conversations).toBeGreaterThan(100);
  expect(traces).toBeGreaterThan(150);
}, 30_000);

test("the same seed makes the same run, another one another", () => {
  expect(slice(7, 500)).toEqual(slice(7, 500));
  expect(slice(7, 600).traces).not.toBe(slice(8, 600).traces);
});
