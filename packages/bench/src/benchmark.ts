// A benchmark consists of contestants that do the same work, and their driver.

/** How much was done, and in how many milliseconds. */
export interface Shot {
  readonly count: number;
  readonly ms: number;
}

/** Works for about `ms` milliseconds. Throws if a contestant answered incorrectly. */
export type Shoot = (ms: number) => Shot | Promise<Shot>;

/** Starts a server on loopback and returns its port. */
export type Listen = () => Promise<number>;

/** One function each; `ours` is the first, the others are the controls. */
type Contestants<Contestant> = { readonly ours: Contestant } & {
  readonly [control: string]: Contestant;
};

interface Common {
  /** `group`, or `group/variant`. */
  readonly name: string;
  readonly unit: string;
  readonly higherIsBetter: boolean;
}

/** Contestants that listen, and one load for all of them, in a separate process. */
export interface ServerBenchmark extends Common {
  readonly kind: "server";
  readonly contestants: Contestants<Listen>;
  readonly load: (port: number) => Promise<Shoot>;
}

/** Contestants that connect to one peer, in a separate process. */
export interface ClientBenchmark extends Common {
  readonly kind: "client";
  readonly contestants: Contestants<(port: number) => Promise<Shoot>>;
  readonly peer: Listen;
}

/** Contestants without a peer. */
export interface LocalBenchmark extends Common {
  readonly kind: "local";
  readonly contestants: Contestants<() => Shoot | Promise<Shoot>>;
}

/** Contestants that return one number, each time in a fresh process. */
export interface ValueBenchmark extends Common {
  readonly kind: "value";
  readonly contestants: Contestants<() => number | Promise<number>>;
  /** The number is the same every time. */
  readonly isConstant?: boolean;
}

/** Contestants that listen, and a driver that opens connections and leaves them idle. */
export interface MemoryBenchmark extends Common {
  readonly kind: "memory";
  readonly contestants: Contestants<Listen>;
  readonly hold: (port: number, connections: number) => Promise<void>;
  /** This control is the baseline, which is subtracted from the others. */
  readonly baseline: string;
}

/** Contestants that listen in a fresh process, and many clients that connect at the same moment. */
export interface StormBenchmark extends Common {
  readonly kind: "storm";
  readonly contestants: Contestants<Listen>;
  /** Resolves when all have been answered. */
  readonly storm: (port: number, connections: number) => Promise<void>;
}

export type Benchmark =
  | ServerBenchmark
  | ClientBenchmark
  | LocalBenchmark
  | ValueBenchmark
  | MemoryBenchmark
  | StormBenchmark;

/** Calls `once` repeatedly until `ms` have passed, and counts. */
export async function during(ms: number, once: () => Promise<void>): Promise<Shot> {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ms) {
    await once();
    count++;
  }
  return { count, ms: performance.now() - start };
}
