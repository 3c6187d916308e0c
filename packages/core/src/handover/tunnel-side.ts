// parts → [tunnel side] → tunnel: what may be one side, or will be

import type { ConnectionError } from "../base/errors.ts";
import type { Tracing } from "../driver/tracing.ts";
import { abandon, adopt, type Io } from "../transports/adopt.ts";
import { isThenable } from "../transports/deferred.ts";
import type { Transport } from "../transports/transport.ts";
import { type Parts, readBufOf, TakenParts } from "./parts.ts";

/**
 * One side of a tunnel: the parts of a connection, an io that has not been read, or a promise of
 * either, such as `request.switchTo()`.
 */
export type TunnelSide = Side | PromiseLike<Side>;

/** A side that is there. */
export type Side = Parts<unknown> | Io;

/** Adopts a promised side. If its `then` throws, it rejects. */
export function arrival(side: PromiseLike<unknown>): Promise<Side> {
  return new Promise((resolve) => resolve(side as PromiseLike<Side>));
}

/** Aborts a side that is no longer needed, at the latest when it arrives. */
export function abortSide(side: TunnelSide, reason: ConnectionError): void {
  if (isThenable(side))
    arrival(side).then(
      (late) => abortSide(late, reason),
      () => {},
    );
  else abandon(partsOf(side).io, reason);
}

const NOTHING = new Uint8Array(0);

/** The parts; an io has no `readBuf`. */
export function partsOf(side: Parts<unknown> | Io): Parts<unknown> {
  const hasParts = "readBuf" in Object(side);
  return hasParts ? (side as Parts<unknown>) : { io: side, readBuf: NOTHING, readEnded: false };
}

/** One end of a tunnel. What it reads goes to the other. */
export interface End {
  readonly name: "a" | "b";
  /** Undefined until its promise has resolved. */
  transport: Transport | undefined;
  readBuf: Uint8Array;
  readEnded: boolean;
  /** Of the connection that its parts were taken from, if that is traced. */
  tracing: Tracing | undefined;
  /** Bytes read from it. */
  read: number;
  /** We listen to its transport. */
  attached: boolean;
  ended: boolean;
  closed: boolean;
}

/** @throws {LocalProtocolError} `INVALID_IO`, with the reason. */
export function endOf(name: End["name"], side: TunnelSide): End {
  const state = { name, read: 0, attached: false, ended: false, closed: false };
  if (isThenable(side)) {
    const unknown = { transport: undefined, tracing: undefined };
    return { ...state, ...unknown, readBuf: NOTHING, readEnded: false };
  }
  const parts = partsOf(side);
  const { io, readEnded } = parts;
  const tracing = TakenParts.tracingOf(parts);
  const readBuf = readBufOf(parts);
  return { ...state, transport: adopt(io), tracing, readBuf, readEnded };
}
