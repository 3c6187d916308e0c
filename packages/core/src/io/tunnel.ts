// parts ↔ [tunnel] ↔ parts: two switched transports joined, with half-close and back-pressure

import { ConnectionError } from "../errors.ts";
import { checkOption } from "../limits.ts";
import { adopt } from "./adopt.ts";
import { transportFailed } from "./causes.ts";
import { type Clock, systemClock } from "./clock.ts";
import type { SignalLike } from "./connection.ts";
import { Deadlines } from "./deadlines.ts";
import { Deferred } from "./deferred.ts";
import type { Parts } from "./parts.ts";
import type { Transport } from "./transport.ts";

export interface TunnelOptions {
  /** Aborts both sides. */
  readonly signal?: SignalLike | undefined;
  /** Aborts both sides when nothing moved for this long, in milliseconds. Default: none. */
  readonly idleMs?: number | undefined;
  /** Bytes that may wait in one side before the other is paused. Default 65,536. */
  readonly highWaterBytes?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** How a tunnel ended. */
export interface TunnelEnd {
  /** Bytes that went from a to b, `readBuf` included. */
  readonly aToB: number;
  readonly bToA: number;
  /** Who ended it: the side whose end came first, or failed; the signal; the idle deadline. */
  readonly endedBy: "a" | "b" | "signal" | "idle";
  /**
   * Why it did not end well: `TRANSPORT_FAILED`, or `ABORTED` by the signal or the idle deadline. What
   * the io failed with, or the signal's reason, is its `cause`.
   */
  readonly error?: ConnectionError;
}

type Name = "a" | "b";

/** One end of a tunnel: what it reads goes to the other. */
interface End {
  readonly name: Name;
  readonly transport: Transport;
  readonly parts: Parts<unknown>;
  /** Bytes read from it. */
  read: number;
  ended: boolean;
}

/**
 * Joins two ios, each with its `readBuf` first. The end of one side ends our writing on the other; an
 * error on one side, or one that has failed already, aborts both.
 *
 * Resolves when both directions have ended; never rejects.
 *
 * @throws {LocalProtocolError} `INVALID_IO` and `INVALID_OPTION`, before a byte is moved.
 */
export function tunnel(
  a: Parts<unknown>,
  b: Parts<unknown>,
  options: TunnelOptions = {},
): Promise<TunnelEnd> {
  return new Tunnel(a, b, options).done;
}

class Tunnel {
  readonly #a: End;
  readonly #b: End;
  readonly #done = new Deferred<TunnelEnd>();
  readonly #deadlines: Deadlines;
  readonly #idleMs: number;
  readonly #highWaterBytes: number;
  readonly #signal: SignalLike | undefined;
  #endedBy: TunnelEnd["endedBy"] | undefined;
  #over = false;

  constructor(a: Parts<unknown>, b: Parts<unknown>, options: TunnelOptions) {
    this.#a = { name: "a", transport: adopt(a.io), parts: a, read: 0, ended: false };
    this.#b = { name: "b", transport: adopt(b.io), parts: b, read: 0, ended: false };
    // As much as a socket's own buffer: enough to keep both kernels busy.
    this.#highWaterBytes = checkOption("highWaterBytes", options.highWaterBytes ?? 65_536);
    this.#idleMs = checkOption("idleMs", options.idleMs ?? 0);
    this.#deadlines = new Deadlines(options.clock ?? systemClock, {
      deadlinePassed: () => this.#fail("idle", new ConnectionError("ABORTED", "idleMs")),
    });
    this.#signal = options.signal;
    this.#deadlines.start("idle", this.#idleMs);
    if (this.#signal?.aborted !== true) {
      this.#signal?.addEventListener("abort", this.#onAbort, { once: true });
    }
    // First, since an end may be told as soon as somebody listens.
    this.#replay(this.#a, this.#b);
    this.#replay(this.#b, this.#a);
    this.#join(this.#a, this.#b);
    this.#join(this.#b, this.#a);
    this.#begin(this.#a, this.#b);
    this.#begin(this.#b, this.#a);
    if (this.#signal?.aborted === true) this.#onAbort();
  }

  get done(): Promise<TunnelEnd> {
    return this.#done.promise;
  }

  #join(from: End, to: End): void {
    from.transport.attach({
      opened: () => {},
      data: (bytes) => this.#forward(from, to, bytes),
      ended: () => this.#end(from, to),
      // What `from` has accepted makes room for more from `to`.
      accepted: () => this.#relieve(to, from),
      withdrawn: () => {},
      gone: (reason) => this.#gone(from, to, reason),
    });
  }

  #replay(from: End, to: End): void {
    const { readBuf } = from.parts;
    if (readBuf.length > 0) this.#forward(from, to, readBuf);
  }

  #begin(from: End, to: End): void {
    if (this.#over) return;
    if (from.parts.readEnded) this.#end(from, to);
    else if (!this.#isFull(to)) from.transport.resume();
  }

  #forward(from: End, to: End, bytes: Uint8Array): void {
    if (this.#over) return;
    from.read += bytes.length;
    this.#deadlines.start("idle", this.#idleMs);
    to.transport.write([bytes]);
    if (this.#isFull(to)) from.transport.pause();
  }

  #relieve(from: End, to: End): void {
    if (this.#over) return;
    this.#deadlines.start("idle", this.#idleMs);
    if (!from.ended && !this.#isFull(to)) from.transport.resume();
  }

  #isFull(end: End): boolean {
    const { unacceptedBytes } = end.transport;
    return unacceptedBytes > 0 && unacceptedBytes >= this.#highWaterBytes;
  }

  #end(from: End, to: End): void {
    if (from.ended || this.#over) return;
    from.ended = true;
    this.#endedBy ??= from.name;
    to.transport.closeWrite();
    if (!to.ended) return;
    this.#finish(undefined);
    from.transport.destroy();
    to.transport.destroy();
  }

  // A side that is gone without an error has ended both ways: it could not half-close.
  #gone(from: End, to: End, reason: unknown): void {
    if (this.#over) return;
    this.#endedBy ??= from.name;
    const failed = reason !== undefined && reason !== null;
    if (failed || !from.ended) this.#fail(this.#endedBy, transportFailed(reason));
    else this.#end(to, from);
  }

  readonly #onAbort = (): void => {
    this.#fail("signal", new ConnectionError("ABORTED", "signal", { cause: this.#signal?.reason }));
  };

  #fail(endedBy: TunnelEnd["endedBy"], error: ConnectionError): void {
    if (this.#over) return;
    this.#endedBy = endedBy;
    this.#finish(error);
    this.#a.transport.abort(error);
    this.#b.transport.abort(error);
  }

  #finish(error: ConnectionError | undefined): void {
    this.#over = true;
    this.#deadlines.stopAll();
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const end = { aToB: this.#a.read, bToA: this.#b.read, endedBy: this.#endedBy! };
    this.#done.resolve(error === undefined ? end : { ...end, error });
  }
}
