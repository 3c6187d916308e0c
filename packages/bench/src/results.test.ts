import { expect, test } from "vitest";
import type { Benchmark } from "./benchmark.ts";
import { summarize } from "./results.ts";
import { intervalOfMedian } from "./statistics.ts";

const nothing = () => 0;

function benchmark(higherIsBetter: boolean): Benchmark {
  const contestants = { ours: nothing, floor: nothing };
  return { kind: "value", name: "a", unit: "x", higherIsBetter, contestants };
}

function rounds(values: { [contestant: string]: number[] }) {
  return new Map(
    Object.entries(values).map(([name, all]) => [name, all.map((value) => ({ value }))]),
  );
}

test("a ratio above 1 means that ours is better, in either direction of the unit", () => {
  const measured = rounds({ ours: [20, 20, 20], floor: [10, 10, 10] });
  expect(summarize(benchmark(true), measured).ratios).toEqual({ floor: 2 });
  expect(summarize(benchmark(false), measured).ratios).toEqual({ floor: 0.5 });
});

test("ratios are computed per round, so that a slow round affects both equally", () => {
  const measured = rounds({ ours: [100, 10, 50], floor: [50, 5, 100] });
  const result = summarize(benchmark(true), measured);
  expect(result.ours).toBe(50);
  expect(result.control).toEqual({ floor: 50 });
  expect(result.ratios).toEqual({ floor: 2 });
  expect(result.spread).toEqual({ ours: [10, 100], floor: [5, 100] });
});

test("the baseline is subtracted from the others, and is no longer a control", () => {
  const contestants = { ours: async () => 0, floor: async () => 0, "node:http": async () => 0 };
  const result = summarize(
    {
      kind: "memory",
      name: "a",
      unit: "bytes",
      higherIsBetter: false,
      contestants,
      baseline: "floor",
      hold: async () => {},
    },
    rounds({ ours: [1_500], floor: [1_000], "node:http": [3_000] }),
  );
  expect(result.ours).toBe(500);
  expect(result.control).toEqual({ "node:http": 2_000 });
  expect(result.ratios).toEqual({ "node:http": 4 });
});

test("processor time is compared if it was measured, and less is better", () => {
  const measured = new Map([
    ["ours", [{ value: 1, cpu: 10 }]],
    ["floor", [{ value: 1, cpu: 5 }]],
  ]);
  const result = summarize(benchmark(true), measured);
  expect(result.cpu).toEqual({ ours: 10, floor: 5 });
  expect(result.cpuRatios).toEqual({ floor: 0.5 });
});

test("the interval of a median contains it, is narrow for similar values, and is reproducible", () => {
  const wide = intervalOfMedian([1, 2, 3, 4, 5, 6, 7]);
  expect(wide[0]).toBeLessThan(4);
  expect(wide[1]).toBeGreaterThan(4);
  expect(intervalOfMedian([1, 2, 3, 4, 5, 6, 7])).toEqual(wide);
  expect(intervalOfMedian([3, 3, 3])).toEqual([3, 3]);
});
