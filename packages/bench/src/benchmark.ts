// What a benchmark is made of: contestants that do the same work, and the one who drives them.

/** How much was done, and in how many milliseconds. */
export interface Shot {
  readonly count: number;
  readonly ms: number;
}

/** Works for about `ms` milliseconds. Throws where a contestant answered wrongly. */
export type Shoot = (ms: number) => Shot | Promise<Shot>;

/** Starts a server on loopback and tells its port. */
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

/** Contestants that listen, and one load for all of them, in a process of its own. */
export interface ServerBenchmark extends Common {
  readonly kind: "server";
  readonly contestants: Contestants<Listen>;
  readonly load: (port: number) => Promise<Shoot>;
}

/** Contestants that connect to one peer, which is in a process of its own. */
export interface ClientBenchmark extends Common {
  readonly kind: "client";
  readonly contestants: Contestants<(port: number) => Promise<Shoot>>;
  readonly peer: Listen;
}

/** Contestants that need nobody. */
export interface LocalBenchmark extends Common {
  readonly kind: "local";
  readonly contestants: Contestants<() => Shoot | Promise<Shoot>>;
}

/** Contestants that give one number, each time in a fresh process. */
export interface ValueBenchmark extends Common {
  readonly kind: "value";
  readonly contestants: Contestants<() => number | Promise<number>>;
  /** The number is the same every time. */
  readonly isConstant?: boolean;
}

/** Contestants that listen, and somebody who opens connections and leaves them idle. */
export interface MemoryBenchmark extends Common {
  readonly kind: "memory";
  readonly contestants: Contestants<Listen>;
  readonly hold: (port: number, connections: number) => Promise<void>;
  /** This control is what the others stand on: what it takes is taken off theirs. */
  readonly baseline: string;
}

/** Contestants that listen, and many who connect to a fresh process at the same moment. */
export interface StormBenchmark extends Common {
  readonly kind: "storm";
  readonly contestants: Contestants<Listen>;
  /** Resolves when all of them were answered. */
  readonly storm: (port: number, connections: number) => Promise<void>;
}

export type Benchmark =
  | ServerBenchmark
  | ClientBenchmark
  | LocalBenchmark
  | ValueBenchmark
  | MemoryBenchmark
  | StormBenchmark;

/** Calls `once` again and again until `ms` have passed, and counts. */
export async function during(ms: number, once: () => Promise<void>): Promise<Shot> {
  const start = performance.now();
  let count = 0;
  while (performance.now() - start < ms) {
    await once();
    count++;
  }
  return { count, ms: performance.now() - start };
}
