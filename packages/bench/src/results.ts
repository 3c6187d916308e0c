// Computes one result per benchmark from its rounds: medians, spreads and the ratios of each round.

import type { Benchmark } from "./benchmark.ts";
import type { Rounds } from "./rounds.ts";
import { intervalOfMedian, median } from "./statistics.ts";

/** A pair of numbers: the smallest and the largest, or the two ends of an interval. */
type Range = readonly [low: number, high: number];
type ByControl<T> = { [control: string]: T };

/** What `--json` writes, one per benchmark. */
export interface Result {
  readonly name: string;
  readonly ours: number;
  readonly control: ByControl<number>;
  /** Above 1, ours is better, in either direction of the unit. */
  readonly ratios: ByControl<number>;
  readonly unit: string;
  readonly higherIsBetter: boolean;
  /** 95 % of the ratio's median, by the bootstrap over the rounds. */
  readonly intervals: ByControl<Range>;
  /** The smallest and the largest of the rounds; `ours` is among them. */
  readonly spread: ByControl<Range>;
  /** Microseconds of processor time for each thing counted; `ours` is among them. */
  readonly cpu?: ByControl<number>;
  /** {@link ratios} of processor time: steadier on a shared machine. */
  readonly cpuRatios?: ByControl<number>;
  readonly cpuIntervals?: ByControl<Range>;
  readonly rounds: number;
}

export function summarize(benchmark: Benchmark, rounds: Rounds): Result {
  const { name, unit, higherIsBetter } = benchmark;
  const values = compare(valuesOf(benchmark, rounds), higherIsBetter);
  const result = {
    name,
    ours: values.medians.ours!,
    control: withoutOurs(values.medians),
    ratios: values.ratios,
    unit,
    higherIsBetter,
    intervals: values.intervals,
    spread: values.spread,
    rounds: rounds.get("ours")!.length,
  };
  const cpu = cpuOf(rounds);
  if (cpu === undefined) return result;
  const { medians, ratios, intervals } = compare(cpu, false);
  return { ...result, cpu: medians, cpuRatios: ratios, cpuIntervals: intervals };
}

/** The results of each contestant, by round. */
type Values = ReadonlyMap<string, readonly number[]>;

function compare(values: Values, higherIsBetter: boolean) {
  const medians: ByControl<number> = {};
  const spread: ByControl<Range> = {};
  const ratios: ByControl<number> = {};
  const intervals: ByControl<Range> = {};
  const ours = values.get("ours")!;
  for (const [contestant, theirs] of values) {
    medians[contestant] = median(theirs);
    spread[contestant] = [Math.min(...theirs), Math.max(...theirs)];
    if (contestant === "ours") continue;
    const pairs = ours.map((value, i) =>
      higherIsBetter ? value / theirs[i]! : theirs[i]! / value,
    );
    ratios[contestant] = median(pairs);
    intervals[contestant] = intervalOfMedian(pairs);
  }
  return { medians, spread, ratios, intervals };
}

function withoutOurs({ ours: _, ...controls }: ByControl<number>): ByControl<number> {
  return controls;
}

function valuesOf(benchmark: Benchmark, rounds: Rounds): Values {
  const values = new Map<string, number[]>();
  for (const [name, measured] of rounds) {
    values.set(
      name,
      measured.map(({ value }) => value),
    );
  }
  if (benchmark.kind !== "memory") return values;
  const base = values.get(benchmark.baseline)!;
  values.delete(benchmark.baseline);
  for (const [name, whole] of values) {
    values.set(
      name,
      whole.map((value, i) => value - base[i]!),
    );
  }
  return values;
}

/** Undefined if no processor time was measured. */
function cpuOf(rounds: Rounds): Values | undefined {
  const cpu = new Map<string, number[]>();
  for (const [name, measured] of rounds) {
    const known = measured.flatMap((one) => one.cpu ?? []);
    if (known.length === 0) return undefined;
    cpu.set(name, known);
  }
  return cpu;
}
