// A case has two halves, one per end of a connection. They share nothing but the connection, so they
// also run in two threads, two workers, or two requests of workerd.

import type { Io } from "@upgrade/core/io";

/** What differs between transports, and is documented in docs/transports.md. */
export interface Facts {
  /** What the peer of an end that aborts sees: a failure, or, without a reset to send, an end. */
  readonly abort: "failure" | "end";
}

export type Half = (io: Io, facts: Facts) => Promise<void>;

export interface Case {
  readonly name: string;
  readonly server: Half;
  readonly client: Half;
}

/** A connection whose server half is being played, somewhere. */
export interface Opened {
  /** The client's end. */
  readonly io: Io;
  /** The result of the server half. */
  readonly served: Promise<void>;
  /** Destroys the server's end, if it is in the same realm. */
  readonly discardServer?: () => void;
}

/** A way to connect two ends, in one runtime. */
export interface Transport {
  readonly name: string;
  readonly facts: Facts;
  /** Connects, and plays the server half of the case at the other end. */
  open(played: Case): Promise<Opened>;
}

/** What became of one case on one transport; without `failed` it passed. */
export interface Result {
  readonly transport: string;
  readonly case: string;
  readonly failed?: string;
}
