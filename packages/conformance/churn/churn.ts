import { getEventListeners, setMaxListeners } from "node:events";
import type { Duplex } from "node:stream";
import { type Io, ManualClock, memoryPair } from "@upgrade/core/io";
import { destroyPairs, duplexPair, type Pair, tcpPair, webPair } from "../src/pairs/pairs.ts";
import { isNodeDuplex, ScriptedPeer } from "../src/scripted-peer.ts";
import { watchUnhandled } from "../src/turns.ts";
import { CLIENT_MOMENTS } from "./client-moments.ts";
import { Dice } from "./dice.ts";
import { discard, ENDINGS } from "./endings.ts";
import { SERVER_MOMENTS } from "./server-moments.ts";
import { type Stage, type Standing, turn } from "./stage.ts";

/** What a run of many connections wrongly left behind. */
export interface Tally {
  connections: number;
  /** How often each story was played. */
  readonly stories: Map<string, number>;
  readonly faults: string[];
}

const AT_ONCE = 50;
const A_DAY_MS = 86_400_000;
// More rounds of the event loop than any ending takes, even over loopback.
const PATIENCE = 2_000;
const HANGS_MS = 20_000;

const MOMENTS = [
  ...Object.entries(SERVER_MOMENTS).map(([name, come]) => ({ name: `server ${name}`, come })),
  ...Object.entries(CLIENT_MOMENTS).map(([name, come]) => ({ name: `client ${name}`, come })),
];
const ENDS = Object.entries(ENDINGS).map(([name, end]) => ({ name, end }));

// Memory is cheap and the most exact; each real transport occurs often enough to show a leak.
const TRANSPORTS: readonly { readonly name: string; make(): Promise<Pair> }[] = [
  ...Array.from({ length: 6 }, () => ({ name: "memory", make: async () => memoryPair() })),
  { name: "Duplex", make: async () => duplexPair() },
  { name: "WHATWG", make: async () => webPair() as unknown as Pair },
  { name: "TCP", make: () => tcpPair() },
];

/** The number of different stories. */
export const STORIES = MOMENTS.length * ENDS.length;

/** Opens `count` connections and ends them, each at a moment and in a way derived from the seed. */
export async function churn(count: number, seed: number): Promise<Tally> {
  const dice = new Dice(seed);
  const { signal } = new AbortController();
  setMaxListeners(AT_ONCE * 4, signal);
  const tally: Tally = { connections: 0, stories: new Map(), faults: [] };
  const unhandled = watchUnhandled();
  while (tally.connections < count) {
    const batch: Promise<void>[] = [];
    for (let i = 0; i < AT_ONCE && tally.connections < count; i++) {
      tally.connections++;
      batch.push(one(new Dice(dice.below(2 ** 32)), tally, signal));
    }
    await Promise.all(batch);
    destroyPairs();
  }
  for (const reason of await unhandled.settled()) tally.faults.push(`unhandled: ${String(reason)}`);
  unhandled.stop();
  const listeners = getEventListeners(signal, "abort").length;
  if (listeners > 0) tally.faults.push(`${listeners} listeners stay on a signal`);
  return tally;
}

async function one(dice: Dice, tally: Tally, signal: AbortSignal): Promise<void> {
  const moment = dice.pick(MOMENTS);
  const ending = dice.pick(ENDS);
  const transport = dice.pick(TRANSPORTS);
  const story = `${moment.name}, ended ${ending.name}`;
  tally.stories.set(story, (tally.stories.get(story) ?? 0) + 1);
  const fault = (what: string): void =>
    void tally.faults.push(`${story}, ${transport.name}: ${what}`);
  const [io, far] = await transport.make();
  const stage = { io, peer: new ScriptedPeer(far), clock: new ManualClock(), dice, signal };
  let hanging: NodeJS.Timeout | undefined;
  try {
    const hangs = new Promise<never>((_, reject) => {
      hanging = setTimeout(() => reject(new Error("it hangs")), HANGS_MS);
    });
    await Promise.race([live(moment.come, ending.end, stage, fault), hangs]);
  } catch (error) {
    fault(error instanceof Error ? (error.stack ?? error.message) : String(error));
  } finally {
    clearTimeout(hanging);
    discard(io);
  }
}

async function live(
  come: (stage: Stage) => Promise<Standing>,
  end: (standing: Standing, stage: Stage) => void,
  stage: Stage,
  fault: (what: string) => void,
): Promise<void> {
  const before = listenersOf(stage.io);
  const standing = await come(stage);
  // Checked before the end, since reading the error adds a listener.
  if (standing.parts !== undefined) compare(before, listenersOf(stage.io), fault);
  end(standing, stage);
  await expire(standing, stage);
  if (stage.clock.pending > 0) fault(`${stage.clock.pending} timers stay`);
}

// A connection that its ending left open is valid: close it, as its owner would.
async function expire({ connection, parts }: Standing, { clock }: Stage): Promise<void> {
  if (parts !== undefined) return;
  let isOver = false;
  void connection.closed.then(() => {
    isOver = true;
  });
  await turn();
  void connection.close();
  for (let left = PATIENCE; !isOver; left--) {
    if (left === 0) throw new Error("it does not end");
    clock.advance(left % 10 === 0 ? A_DAY_MS : 0);
    await turn();
  }
  clock.advance(A_DAY_MS);
}

function listenersOf(io: Io): Map<string | symbol, number> {
  if (!isNodeDuplex(io)) return new Map();
  const duplex: Duplex = io;
  return new Map(duplex.eventNames().map((name) => [name, duplex.listenerCount(name)]));
}

// Two listeners stay until the next owner listens for errors: "error" and "newListener" (L2).
function compare(
  before: ReadonlyMap<string | symbol, number>,
  after: ReadonlyMap<string | symbol, number>,
  fault: (what: string) => void,
): void {
  for (const [name, count] of after) {
    const ours = name === "error" || name === "newListener" ? 1 : 0;
    if (count !== (before.get(name) ?? 0) + ours) fault(`${String(name)} has ${count} listeners`);
  }
}
