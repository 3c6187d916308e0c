import { ASKS, BOUNDS, type Seed } from "./corpus.ts";
import { EXPLANATIONS, type Explanation } from "./explained.ts";
import { mutate } from "./mutate.ts";
import { type Observed, observe } from "./observe.ts";
import type { Situation } from "./oracle.ts";
import type { Outcome, Peer } from "./peers.ts";
import { Random } from "./random.ts";

// Longer inputs hit limits, which differ between implementations.
const LONGEST = 8_000;

/** Compares HttpConnection with other implementations, input by input. */
export class Comparison {
  readonly #peers: readonly Peer[];
  /** How often each difference occurred. */
  readonly met = new Map<Explanation, number>();
  /** Unexplained differences, with the shortest example of each kind. */
  readonly unexplained = new Map<string, string>();
  cases = 0;
  agreed = 0;

  constructor(peers: readonly Peer[]) {
    this.#peers = peers;
  }

  async add({ text, situation }: Seed): Promise<void> {
    this.cases++;
    const input = Buffer.from(text, "latin1");
    const ours = observe(situation, [input], input);
    for (const peer of this.#peers) {
      const theirs = await peer.observe(text, situation);
      const difference = differenceOf(ours, theirs);
      if (difference === undefined) this.agreed++;
      else this.#differ(difference, peer, { text, situation }, ours, theirs);
    }
  }

  #differ(difference: string, { name }: Peer, seed: Seed, ours: Observed, theirs: Outcome): void {
    const { text, situation } = seed;
    const explanation = EXPLANATIONS.find(
      (row) =>
        row.peer === name &&
        row.ours === difference &&
        (row.input === undefined ||
          row.input.test(text.slice(difference === ours.code ? ours.at : 0))) &&
        (row.theirs === undefined || row.theirs.test(theirs.refused)),
    );
    if (explanation !== undefined) {
      this.met.set(explanation, (this.met.get(explanation) ?? 0) + 1);
      return;
    }
    const kind = `${name}, ${difference}${difference === "accepts" ? ` ${theirs.refused}` : ""}`;
    const asks = JSON.stringify(situation.asks);
    const example = [JSON.stringify(text), asks, describe(ours), JSON.stringify(theirs)].join("\n");
    const shortest = this.unexplained.get(kind);
    if (shortest === undefined || shortest.length > example.length)
      this.unexplained.set(kind, example);
  }
}

/**
 * Every input of the stories, then mutations of them, each read without limits, since other
 * implementations have different ones.
 */
export function* casesOf(seeds: readonly Seed[], mutations: number, seed: number): Generator<Seed> {
  const random = new Random(seed);
  for (const { text, situation } of seeds) yield { text, situation: plain(situation, random) };
  for (let i = 0; i < mutations; i++) {
    const { text, situation } = random.pick(seeds);
    const mutant = mutate(text, random.pick(seeds).text, random);
    if (mutant !== "" && mutant.length <= LONGEST)
      yield { text: mutant, situation: plain(situation, random) };
  }
}

function plain({ role, asks }: Situation, random: Random): Situation {
  const single = ASKS.filter((asks) => asks.length === 1 && !asks[0]!.withheld && !asks[0]!.last);
  const sent = role === "server" ? [] : random.oneIn(3) ? random.pick(single) : asks.slice(0, 1);
  return { role, asks: sent, accepts: true, bounds: BOUNDS[0]!, ended: false };
}

// How we differ; undefined if we agree.
function differenceOf(ours: Observed, theirs: Outcome): string | undefined {
  const refuses = ours.stop === "refused";
  // Both may have read part of a refused input.
  if (refuses && theirs.refused !== "") return undefined;
  const same = sameContent(ours, theirs);
  if (refuses) return same ? "earlier" : ours.code;
  if (theirs.refused !== "") return same ? (ours.stop === "more" ? "later" : "leaves") : "accepts";
  return same ? undefined : "reads";
}

function sameContent({ messages, stop }: Observed, theirs: Outcome): boolean {
  // If HTTP is over, the head that ended it was a complete message.
  const complete = messages.filter((message) => message.complete || stop === "over").length;
  const bodies = messages.map(({ body }) => body);
  return complete === theirs.complete && JSON.stringify(bodies) === JSON.stringify(theirs.bodies);
}

function describe({ stop, code, messages }: Observed): string {
  const bodies = messages.map(({ body }) => body);
  const complete = messages.filter((message) => message.complete).length;
  return `${stop} ${code} ${JSON.stringify({ complete, bodies })}`;
}
