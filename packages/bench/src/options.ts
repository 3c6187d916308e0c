// Parses the command line: what to run, how often and for how long.

import { parseArgs } from "node:util";

/** How much measuring is done. */
export interface Plan {
  /** How often the contestants' processes are restarted, since JIT results vary between processes. */
  readonly starts: number;
  /** Rounds in each start; in each round every contestant is measured once. */
  readonly rounds: number;
  /** Warm-up before anything is counted: this many operations … */
  readonly warmCount: number;
  /** … or this long, whichever is sooner. */
  readonly warmMs: number;
  readonly shotMs: number;
  /** Rounds of the benchmarks that need a fresh process for each number. */
  readonly values: number;
  readonly connections: number;
  /** How many connect at once in a storm. */
  readonly stormed: number;
}

const FULL: Plan = {
  starts: 3,
  rounds: 5,
  warmCount: 40_000,
  warmMs: 4_000,
  shotMs: 600,
  values: 5,
  connections: 10_000,
  stormed: 5_000,
};
const QUICK: Plan = {
  starts: 1,
  rounds: 3,
  warmCount: 4_000,
  warmMs: 600,
  shotMs: 80,
  values: 1,
  connections: 2_000,
  stormed: 1_000,
};
const MAX_ROUNDS = 100;

export interface Options {
  readonly plan: Plan;
  readonly json: string | undefined;
  /** Names of benchmarks, or of groups; undefined for all. */
  readonly only: readonly string[] | undefined;
}

export const USAGE = "usage: bench [--quick] [--only NAME[,NAME]] [--rounds N] [--json FILE]";

/** @throws for invalid arguments. */
export function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      rounds: { type: "string" },
      json: { type: "string" },
    },
  });
  let plan = values.quick ? QUICK : FULL;
  if (values.rounds !== undefined) {
    const rounds = Number(values.rounds);
    if (!Number.isInteger(rounds) || rounds < 1 || rounds > MAX_ROUNDS) {
      throw new Error(`--rounds is a number from 1 to ${MAX_ROUNDS}`);
    }
    plan = { ...plan, rounds, values: rounds };
  }
  return { plan, json: values.json, only: values.only?.split(",") };
}
