import { type Action, converse, randomAction } from "./converse.ts";
import { ASKS, BOUNDS, type Seed } from "./corpus.ts";
import { type ExtensionList, judgeList, randomList } from "./extensions.ts";
import { type Fault, judge } from "./judge.ts";
import { shrink } from "./minimize.ts";
import { mutate } from "./mutate.ts";
import type { Situation } from "./oracle.ts";
import { Random } from "./random.ts";
import { storyOf } from "./story.ts";

export interface FuzzOptions {
  readonly seed: number;
  readonly seeds: readonly Seed[];
  /** Whether to continue, called now and then. */
  readonly shouldContinue: (executions: number) => boolean;
  /** What is about to be played: the finding if it never ends. */
  readonly onTurn?: (what: string) => void;
  /** A finding is being minimized. */
  readonly onFault?: (fault: Fault) => void;
  /** An input that produced new events. */
  readonly onNews?: (seed: Seed) => void;
}

export interface FuzzResult {
  readonly executions: number;
  readonly distinct: number;
  readonly conversations: number;
  /** Of extensions of WebSocket. */
  readonly lists: number;
  readonly traces: number;
  readonly fault: Fault | undefined;
  /** The minimized finding, as text. */
  readonly finding: string;
}

// Longer inputs are truncated: they show nothing that shorter ones do not, except for the time limit.
const LONGEST = 200_000;
const POOL = 4_000;
// A Set holds at most 2^24 numbers.
const MOST_COUNTED = 16_000_000;

/** Mutates, plays and judges until a finding, or until time is up. */
export function fuzz(options: FuzzOptions): FuzzResult {
  const random = new Random(options.seed);
  const pool = [...options.seeds];
  const traces = new Set<string>();
  const inputs = new Set<number>();
  let executions = 0;
  let conversations = 0;
  let lists = 0;
  const result = (fault: Fault | undefined, finding = ""): FuzzResult => ({
    executions,
    distinct: inputs.size,
    conversations,
    lists,
    traces: traces.size,
    fault,
    finding,
  });
  while (options.shouldContinue(executions)) {
    executions++;
    if (random.oneIn(8)) {
      conversations++;
      const script = Array.from({ length: 2 + random.below(24) }, () => randomAction(random));
      const text = JSON.stringify(script);
      options.onTurn?.(text);
      count(inputs, hashOf(text));
      const fault = converse(script);
      if (fault === undefined) continue;
      options.onFault?.(fault);
      return result(fault, conversationFound(script, fault));
    }
    if (random.oneIn(12)) {
      lists++;
      const list = randomList(random);
      const text = JSON.stringify([list]);
      options.onTurn?.(text);
      count(inputs, hashOf(text));
      const fault = judgeList(list);
      if (fault === undefined) continue;
      options.onFault?.(fault);
      return result(fault, listFound(list, fault));
    }
    const seed = executions <= options.seeds.length ? pool[executions - 1]! : mutant(pool, random);
    count(inputs, hashOf(seed.text));
    options.onTurn?.(JSON.stringify(seed));
    const { fault, trace } = judge(seed.text, seed.situation, random);
    if (fault !== undefined) {
      options.onFault?.(fault);
      return result(fault, inputFound(seed, fault));
    }
    if (traces.has(trace) || traces.size >= 200_000) continue;
    traces.add(trace);
    options.onNews?.(seed);
    if (seed.text.length > 4_000) continue;
    if (pool.length < POOL) pool.push(seed);
    else pool[options.seeds.length + random.below(POOL - options.seeds.length)] = seed;
  }
  return result(undefined);
}

function mutant(pool: readonly Seed[], random: Random): Seed {
  const { text, situation } = random.pick(pool);
  const other = random.pick(pool);
  const mutated = mutate(text, other.text, random);
  return {
    text: mutated.length > LONGEST ? mutated.slice(0, LONGEST) : mutated,
    situation: random.oneIn(3) ? elsewhere(situation, random) : situation,
  };
}

// The same input, in the other role.
function elsewhere(situation: Situation, random: Random): Situation {
  const role = random.oneIn(12) ? (random.oneIn(2) ? "client" : "server") : situation.role;
  const keepsAsks = role === situation.role && random.oneIn(2);
  const asks = role === "server" ? [] : keepsAsks ? situation.asks : random.pick(ASKS);
  const bounds = random.oneIn(3) ? random.pick(BOUNDS) : BOUNDS[0]!;
  return { role, asks, bounds, accepts: random.oneIn(2), ended: random.oneIn(3) };
}

// FNV-1a twice, 53 bits in total: a collision among ten million inputs is unlikely.
function hashOf(text: string): number {
  let low = 0x811c9dc5;
  let high = 0x01000193;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    low = Math.imul(low ^ code, 0x01000193);
    high = Math.imul(high ^ code, 0x85ebca6b) ^ (high >>> 15);
  }
  return (low >>> 0) + (high & 0x1fffff) * 0x1_0000_0000;
}

function count(inputs: Set<number>, hash: number): void {
  if (inputs.size < MOST_COUNTED) inputs.add(hash);
}

function inputFound(seed: Seed, { kind }: Fault): string {
  const again = (text: string) => {
    // Some faults need a certain cut.
    for (let attempt = 1; attempt <= 12; attempt++) {
      const { fault } = judge(text, seed.situation, new Random(attempt));
      if (fault?.kind === kind) return fault;
    }
    return undefined;
  };
  const fails = (parts: readonly string[]) => again(parts.join("")) !== undefined;
  const least = kind === "slow" ? [seed.text] : shrink([...seed.text], fails);
  const text = least.join("");
  const says = again(text)?.says ?? "it needs a cut that was not found again";
  return `${says}\n\n${storyOf({ ...seed, text }, kind)}`;
}

function conversationFound(script: readonly Action[], { kind }: Fault): string {
  const least = shrink(script, (fewer) => converse(fewer)?.kind === kind);
  const actions = least.map((action) => `  ${JSON.stringify(action)}`);
  return `${converse(least)?.says}\n\nthe script:\n${actions.join("\n")}`;
}

function listFound(list: ExtensionList, { kind }: Fault): string {
  const { options } = list;
  const again = (text: string) => judgeList({ text, options });
  const fails = (parts: readonly string[]) => again(parts.join(""))?.kind === kind;
  const least = kind === "slow" ? [list.text] : shrink([...list.text], fails);
  const text = least.join("");
  return `${again(text)?.says}\n\nSec-WebSocket-Extensions: ${text}\nread with ${JSON.stringify(options)}`;
}
