// Contestants take turns, round by round: A B C, C B A, …, so that a slow moment affects all equally.

import type { Benchmark } from "./benchmark.ts";
import type { Plan } from "./options.ts";
import { assemble, type Measurement, type Team } from "./teams.ts";

const WARM_SHOT_MS = 100;

/** The measurements of each contestant, one per round. */
export type Rounds = ReadonlyMap<string, readonly Measurement[]>;

export async function playRounds(benchmark: Benchmark, plan: Plan): Promise<Rounds> {
  const names = Object.keys(benchmark.contestants);
  const rounds = new Map<string, Measurement[]>(names.map((name) => [name, []]));
  const starts = isFresh(benchmark) ? 1 : plan.starts;
  for (let start = 0; start < starts; start++) await playStart(benchmark, plan, rounds);
  return rounds;
}

/** Each number comes from new processes anyway. */
function isFresh(benchmark: Benchmark): boolean {
  return benchmark.kind !== "server" && benchmark.kind !== "client" && benchmark.kind !== "local";
}

async function playStart(
  benchmark: Benchmark,
  plan: Plan,
  rounds: Map<string, Measurement[]>,
): Promise<void> {
  const teams: [name: string, team: Team][] = [];
  try {
    for (const name of rounds.keys()) teams.push([name, await assemble(benchmark, name, plan)]);
    if (!isFresh(benchmark)) await warmUp(teams, plan);
    for (let round = 0; round < roundsOf(benchmark, plan); round++) {
      const order = round % 2 === 0 ? teams : [...teams].reverse();
      for (const [name, team] of order) rounds.get(name)!.push(await team.measure(plan.shotMs));
    }
  } finally {
    await Promise.all(teams.map(([, team]) => team.stop()));
  }
}

// Also in turn: a server closes a connection that idles for seconds.
async function warmUp(
  teams: readonly [name: string, team: Team][],
  { warmCount, warmMs }: Plan,
): Promise<void> {
  const done = new Map<string, number>();
  for (let spent = 0; spent < warmMs; spent += WARM_SHOT_MS) {
    for (const [name, team] of teams) {
      const count = done.get(name) ?? 0;
      if (count >= warmCount) continue;
      const { value } = await team.measure(WARM_SHOT_MS);
      done.set(name, count + (value * WARM_SHOT_MS) / 1_000);
    }
  }
}

function roundsOf(benchmark: Benchmark, plan: Plan): number {
  if (benchmark.kind === "value" && benchmark.isConstant === true) return 1;
  return isFresh(benchmark) ? plan.values : plan.rounds;
}
