// Contestants in turn, round by round: A B C, C B A, …, so that a slow moment hits all alike.

import type { Benchmark } from "./benchmark.ts";
import type { Plan } from "./options.ts";
import { assemble, type Measurement, type Team } from "./teams.ts";

const MAX_WARM_SHOTS = 10;
const WARMER = 1.03;

/** What was measured of each contestant: one measurement a round. */
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
  return benchmark.kind === "value" || benchmark.kind === "memory";
}

async function playStart(
  benchmark: Benchmark,
  plan: Plan,
  rounds: Map<string, Measurement[]>,
): Promise<void> {
  const teams: [name: string, team: Team][] = [];
  try {
    for (const name of rounds.keys()) teams.push([name, await assemble(benchmark, name, plan)]);
    if (!isFresh(benchmark)) await warmUp(teams, plan.warmMs);
    for (let round = 0; round < roundsOf(benchmark, plan); round++) {
      const order = round % 2 === 0 ? teams : [...teams].reverse();
      for (const [name, team] of order) rounds.get(name)!.push(await team.measure(plan.shotMs));
    }
  } finally {
    await Promise.all(teams.map(([, team]) => team.stop()));
  }
}

// In turn too: a server closes a connection that idles for seconds. Until a shot is no better than
// those before it, for all contestants; a machine that is never calm gets no more than ten.
async function warmUp(teams: readonly [name: string, team: Team][], ms: number): Promise<void> {
  const best = new Map<string, number>();
  let isWarmer = true;
  for (let shots = 0; shots < MAX_WARM_SHOTS && isWarmer; shots++) {
    isWarmer = shots < 2;
    for (const [name, team] of teams) {
      const { value } = await team.measure(ms);
      const before = best.get(name) ?? 0;
      if (value > before * WARMER) isWarmer = true;
      best.set(name, Math.max(before, value));
    }
  }
}

function roundsOf(benchmark: Benchmark, plan: Plan): number {
  if (benchmark.kind === "value" && benchmark.isConstant === true) return 1;
  return isFresh(benchmark) ? plan.values : plan.rounds;
}
