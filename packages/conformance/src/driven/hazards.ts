import { memoryPair } from "@upgrade/core/io";
import { JoinedDuplex, type Pair, webPair } from "../pairs/pairs.ts";
import { BreakableStream } from "../streams/breakable-stream.ts";

/** A transport with injectable faults. */
export interface Hazard {
  readonly pair: Pair;
  /** From now on writes fail, or are never accepted. */
  breakWrites(how: "fail" | "hang"): void;
  /** Describes what we left on it. */
  remains(): string[];
}

export const HAZARDS = { "memory pair": inMemory, "Duplex": duplex, "WHATWG pair": web } as const;

function inMemory(): Hazard {
  const [near, far] = memoryPair();
  const io = new BreakableStream(near);
  return {
    pair: [io, far],
    breakWrites: (how) => {
      io.writes = how;
    },
    remains: () => (io.reads === 0 ? [] : [`${io.reads} reads are pending`]),
  };
}

function duplex(): Hazard {
  const pair = JoinedDuplex.join(false);
  const [near] = pair;
  const before = listenersOf(near);
  return {
    pair,
    breakWrites: (how) => {
      const write = (...args: unknown[]): void => {
        const accepted = args.at(-1) as (error: Error) => void;
        if (how === "fail") accepted(new Error("the write failed"));
      };
      near._write = write;
      near._writev = write;
    },
    remains: () => {
      // L2: one silent listener stays until the next owner has one.
      const silent = ["error", "newListener"];
      const left = listenersOf(near).filter((name) => ![...before, ...silent].includes(name));
      return left.map((name) => `a listener for ${name}`);
    },
  };
}

function listenersOf(io: JoinedDuplex): string[] {
  return io.eventNames().map(String);
}

function web(): Hazard {
  const pair = webPair() as unknown as Pair;
  return {
    pair,
    // The streams of a pair accept every write, and fail as a whole.
    breakWrites: () => {},
    remains: () => [],
  };
}
