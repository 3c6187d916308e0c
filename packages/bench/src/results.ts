// Rounds → one result a benchmark: medians, spreads and the ratios of each round.

import type { Benchmark } from "./benchmark.ts";
import type { Rounds } from "./rounds.ts";
import { intervalOfMedian, median } from "./statistics.ts";

/** A pair of numbers: the smallest and the largest, or the two ends of an interval. */
type Range = readonly [low: number, high: number];
type ByControl<T> = { [control: string]: T };

/** What `--json` writes, one a benchmark. */
export interface Result {
  readonly name: string;
  readonly ours: number;
  readonly control: ByControl<number>;
  /** Above 1 we are better, whichever way the unit points. */
  readonly ratios: ByControl<number>;
  readonly unit: string;
  readonly higherIsBetter: boolean;
  /** 95 % of the ratio's median, by the bootstrap over the rounds. */
  readonly intervals: ByControl<Range>;
  /** The smallest and the largest of the rounds; `ours` is among them. */
  readonly spread: ByControl<Range>;
  /** Microseconds of processor time for each thing counted; `ours` is among them. */
  readonly cpu?: ByControl<number>;
  readonly rounds: number;
}

export function summarize(benchmark: Benchmark, rounds: Rounds): Result {
  const { name, unit, higherIsBetter } = benchmark;
  const values = valuesOf(benchmark, rounds);
  const ours = values.get("ours")!;
  const result = {
    name,
    ours: median(ours),
    control: {} as ByControl<number>,
    ratios: {} as ByControl<number>,
    unit,
    higherIsBetter,
    intervals: {} as ByControl<Range>,
    spread: {} as ByControl<Range>,
    rounds: ours.length,
  };
  for (const [contestant, theirs] of values) {
    result.spread[contestant] = [Math.min(...theirs), Math.max(...theirs)];
    if (contestant === "ours") continue;
    const pairs = ours.map((value, i) =>
      higherIsBetter ? value / theirs[i]! : theirs[i]! / value,
    );
    result.control[contestant] = median(theirs);
    result.ratios[contestant] = median(pairs);
    result.intervals[contestant] = intervalOfMedian(pairs);
  }
  const cpu = cpuOf(rounds);
  return cpu === undefined ? result : { ...result, cpu };
}

function valuesOf(benchmark: Benchmark, rounds: Rounds): Map<string, number[]> {
  const values = new Map<string, number[]>();
  for (const [name, measured] of rounds)
    values.set(
      name,
      measured.map(({ value }) => value),
    );
  if (benchmark.kind !== "memory") return values;
  const base = values.get(benchmark.baseline)!;
  values.delete(benchmark.baseline);
  for (const [name, whole] of values)
    values.set(
      name,
      whole.map((value, i) => value - base[i]!),
    );
  return values;
}

function cpuOf(rounds: Rounds): ByControl<number> | undefined {
  const cpu: ByControl<number> = {};
  for (const [name, measured] of rounds) {
    const known = measured.flatMap((one) => one.cpu ?? []);
    if (known.length === 0) return undefined;
    cpu[name] = median(known);
  }
  return cpu;
}
