// driver → [parts] → the next protocol: the io, and every byte that is not HTTP's

import { LocalProtocolError } from "../base/errors.ts";
import { byClass, INSPECT, type Inspect, shown } from "../base/inspect.ts";
import { asBytes } from "../base/octets.ts";
import type { Tracing } from "../driver/tracing.ts";
import type { Switched } from "../message/switched.ts";

/** A connection taken apart. */
export interface Parts<IO> {
  /** The same object that was passed to the handshake. */
  readonly io: IO;
  /** Received bytes that are not HTTP's; read them before the io. A copy, not a view. */
  readonly readBuf: Uint8Array;
  /** The peer's end of file after `readBuf` was already consumed; the io will not report it again. */
  readonly readEnded: boolean;
  /** Absent if HTTP ended without a switch. */
  readonly switched?: Switched;
}

/**
 * The bytes of parts that were given to us.
 *
 * @throws {LocalProtocolError} `INVALID_IO`: there are none, as in an io alone.
 */
export function readBufOf(parts: Parts<unknown>): Uint8Array {
  const bytes = asBytes((parts as Partial<Parts<unknown>> | null | undefined)?.readBuf);
  if (bytes !== undefined) return bytes;
  throw new LocalProtocolError(
    "INVALID_IO",
    "its readBuf is not a Uint8Array; pass the parts of a connection",
  );
}

/** @internal */
export class TakenParts<IO> implements Parts<IO> {
  readonly io: IO;
  readonly readBuf: Uint8Array;
  readonly readEnded: boolean;
  declare readonly switched?: Switched;
  readonly #tracing: Tracing | undefined;

  constructor(
    io: IO,
    readBuf: Uint8Array,
    readEnded: boolean,
    switched: Switched | undefined,
    tracing: Tracing | undefined,
  ) {
    this.io = io;
    this.readBuf = readBuf;
    this.readEnded = readEnded;
    if (switched !== undefined) this.switched = switched;
    this.#tracing = tracing;
  }

  /** The trace of the connection that these parts were taken from, if it is traced. */
  static tracingOf(parts: Parts<unknown>): Tracing | undefined {
    return #tracing in parts ? parts.#tracing : undefined;
  }

  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    return shown("Parts", { ...this, io: byClass(this.io as object) }, depth, options, inspect);
  }
}

/** The result of `intoParts({ force: true })`, with the bytes in flight in either direction. */
export interface ForcedParts<IO> extends Parts<IO> {
  readonly unsent: Uint8Array;
  /**
   * Bytes that were already on their way to us; read them after `readBuf`, and await this promise
   * before reading the io. It never rejects. Only a WHATWG pair ever has any.
   */
  readonly late: Promise<Uint8Array>;
}
