// driver → [parts] → the next protocol: the io, and every byte that is not HTTP's

import type { Version } from "../events.ts";
import type { Headers } from "../headers.ts";
import { byClass, INSPECT, type Inspect, shown } from "../inspect.ts";

/** The head of the request that proposed the switch. */
export interface RequestHead {
  readonly method: string;
  readonly target: string;
  readonly version: Version;
  readonly headers: Headers;
}

/** The head of the response that accepted it. */
export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
}

/** Why and to what the connection switched. */
export interface Switched {
  readonly kind: "upgrade" | "connect";
  /** What the 101 names, verbatim; for a tunnel the authority of the CONNECT. */
  readonly protocol: string;
  readonly request: RequestHead;
  readonly response: ResponseHead;
}

/** What the connection switches to, by the heads that agreed on it. */
export function switchedBy(request: RequestHead, response: ResponseHead): Switched {
  const { method, target, version, headers } = request;
  const kind = method === "CONNECT" ? "connect" : "upgrade";
  // A 101 without Upgrade is no switch.
  const protocol = kind === "connect" ? target : response.headers.get("upgrade")!;
  return { kind, protocol, request: { method, target, version, headers }, response };
}

/** A connection, taken apart. */
export interface Parts<IO> {
  /** The very object that was given to the handshake. */
  readonly io: IO;
  /** Bytes that were received and are not HTTP's: to be read before the io. Memory of its own. */
  readonly readBuf: Uint8Array;
  /** The peer's end of file came behind `readBuf`, and was consumed: the io will not tell it again. */
  readonly readEnded: boolean;
  /** Absent where HTTP simply ended. */
  readonly switched?: Switched;
}

/** @internal */
export class TakenParts<IO> implements Parts<IO> {
  readonly io: IO;
  readonly readBuf: Uint8Array;
  readonly readEnded: boolean;
  declare readonly switched?: Switched;

  constructor(io: IO, readBuf: Uint8Array, readEnded: boolean, switched: Switched | undefined) {
    this.io = io;
    this.readBuf = readBuf;
    this.readEnded = readEnded;
    if (switched !== undefined) this.switched = switched;
  }

  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    return shown("Parts", { ...this, io: byClass(this.io as object) }, depth, options, inspect);
  }
}

/** What `intoParts({ force: true })` gives: also what was on its way, in either direction. */
export interface ForcedParts<IO> extends Parts<IO> {
  readonly unsent: Uint8Array;
  /**
   * Bytes that were on their way to us already: to be read behind `readBuf` and before the io, whose
   * reading must wait for this promise. It never rejects. Only a WHATWG pair ever has any.
   */
  readonly late: Promise<Uint8Array>;
}
