// parts ↔ [tunnel] ↔ parts: joins two ios, with half-close and back-pressure

import { ConnectionError, LocalProtocolError } from "../base/errors.ts";
import { asBytes } from "../base/octets.ts";
import { CLOCK, checkOptions, DURATION, type Kinds, SIGNAL, SIZE } from "../base/options.ts";
import { type Clock, systemClock } from "../driver/clock.ts";
import { Deadlines } from "../driver/deadlines.ts";
import { listen, type SignalLike } from "../driver/listening.ts";
import type { Tracing } from "../driver/tracing.ts";
import { abandon, adopt, type Io } from "../transports/adopt.ts";
import { transportFailed } from "../transports/causes.ts";
import { Deferred, isThenable } from "../transports/deferred.ts";
import type { Transport } from "../transports/transport.ts";
import { type Parts, TakenParts } from "./parts.ts";

/**
 * One side of a tunnel: the parts of a connection, an io that has not been read, or a promise of
 * either, such as `request.switchTo()`.
 */
export type TunnelSide = Parts<unknown> | Io | PromiseLike<Parts<unknown> | Io>;

/** What ends a {@link tunnel} from outside. */
export interface TunnelOptions {
  /** Aborts both sides. */
  readonly signal?: SignalLike | undefined;
  /**
   * Aborts both sides after this many milliseconds without progress. Also limits the wait for a side
   * that is a promise. Default: none.
   */
  readonly idleMs?: number | undefined;
  /** How many bytes may be queued on one side before the other is paused. Default 65,536. */
  readonly highWaterBytes?: number | undefined;
  readonly clock?: Clock | undefined;
}

const TUNNEL_OPTIONS: Kinds<TunnelOptions> = {
  signal: SIGNAL,
  idleMs: DURATION,
  highWaterBytes: SIZE,
  clock: CLOCK,
};

/** How a tunnel ended. */
export interface TunnelEnd {
  /** Bytes sent from a to b, including `readBuf`. */
  readonly aToB: number;
  readonly bToA: number;
  /** What ended it: the side that ended or failed first, the signal, or the idle deadline. */
  readonly endedBy: "a" | "b" | "signal" | "idle";
  /**
   * Why it failed: `TRANSPORT_FAILED`, or `ABORTED` by the signal or the idle deadline. Its `cause` is
   * the error of the io, the rejection of a promised side, `INVALID_IO` for a side that cannot be
   * joined, the signal's reason, or `CALLBACK_FAILED` if the clock threw.
   */
  readonly error?: ConnectionError;
}

type Name = "a" | "b";

const NOTHING = new Uint8Array(0);

/** One end of a tunnel. What it reads goes to the other. */
interface End {
  readonly name: Name;
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

/**
 * Joins two ios. Each `readBuf` is sent first, the end of one side ends writing on the other, and a
 * failure of one side, even before the call, aborts both.
 *
 * The tunnel owns both sides from this call on. If a promised side rejects, or one side fails while
 * the other is still a promise, the other is aborted, at the latest when it arrives.
 *
 * Resolves when both ios are closed, or as soon as one has failed.
 *
 * @throws {LocalProtocolError} `INVALID_IO`, `INVALID_OPTION`, and `CALLBACK_FAILED` for a signal that
 *   throws; no byte was moved. An unsupported io is left untouched; any other is aborted.
 */
export async function tunnel(
  a: TunnelSide,
  b: TunnelSide,
  options: TunnelOptions = {},
): Promise<TunnelEnd> {
  try {
    return new Tunnel(a, b, options).done;
  } catch (error) {
    const reason = new ConnectionError("ABORTED", "the other side cannot be joined", {
      cause: error,
    });
    abortSide(a, reason);
    abortSide(b, reason);
    throw error;
  }
}

class Tunnel {
  readonly #a: End;
  readonly #b: End;
  readonly #done = new Deferred<TunnelEnd>();
  readonly #deadlines: Deadlines;
  readonly #idleMs: number;
  readonly #highWaterBytes: number;
  readonly #stopListening: () => void = ignore;
  #endedBy: TunnelEnd["endedBy"] | undefined;
  #error: ConnectionError | undefined;
  #isJoined = false;
  #over = false;

  constructor(a: TunnelSide, b: TunnelSide, options: TunnelOptions) {
    checkOptions(options, TUNNEL_OPTIONS);
    // The size of a socket buffer: enough to keep both kernels busy.
    this.#highWaterBytes = options.highWaterBytes ?? 65_536;
    this.#idleMs = options.idleMs ?? 0;
    // Both are checked before either is touched.
    this.#a = endOf("a", a);
    this.#b = endOf("b", b);
    this.#deadlines = new Deadlines(options.clock ?? systemClock, {
      deadlinePassed: () => this.#fail("idle", new ConnectionError("ABORTED", "idleMs")),
      clockFailed: (cause) =>
        this.#fail("idle", new ConnectionError("ABORTED", "the clock", { cause })),
    });
    const { signal } = options;
    if (signal !== undefined) this.#stopListening = listen(signal, this.#onAbort);
    if (!this.#over) this.#deadlines.start("idle", this.#idleMs);
    this.#own(this.#a, this.#b, a);
    this.#own(this.#b, this.#a, b);
    this.#beginIfJoined();
  }

  get done(): Promise<TunnelEnd> {
    return this.#done.promise;
  }

  #own(end: End, other: End, side: TunnelSide): void {
    if (isThenable(side)) {
      const fail = (reason: unknown): void => this.#fail(end.name, transportFailed(reason));
      arrival(side).then((arrived) => this.#arrived(end, other, arrived), fail);
    } else {
      this.#attach(end, other);
    }
  }

  #arrived(end: End, other: End, side: Parts<unknown> | Io): void {
    try {
      if (!this.#over) Object.assign(end, endOf(end.name, side));
    } catch (error) {
      this.#fail(end.name, transportFailed(error));
    }
    if (this.#over) {
      abortSide(side, this.#error!);
      end.tracing = TakenParts.tracingOf(partsOf(side));
      this.#trace(end, other);
      return;
    }
    this.#attach(end, other);
    this.#beginIfJoined();
  }

  // Nothing is read until the other side arrives, but this side's end and failure are noticed.
  #attach(from: End, to: End): void {
    from.attached = true;
    from.transport!.attach({
      opened: ignore,
      data: (bytes) => this.#forward(from, to, bytes),
      ended: () => {
        // Its readBuf must be sent first.
        if (!this.#isJoined) from.readEnded = true;
        else this.#end(from, to);
      },
      // What `from` has accepted makes room for more from `to`.
      accepted: () => this.#resumeIfRoom(to, from),
      withdrawn: ignore,
      gone: (reason) => this.#gone(from, to, reason),
    });
    if (this.#over) from.transport!.abort(this.#error);
    else from.transport!.pause();
  }

  #beginIfJoined(): void {
    if (this.#over || !this.#a.attached || !this.#b.attached) return;
    this.#isJoined = true;
    this.#begin(this.#a, this.#b);
    this.#begin(this.#b, this.#a);
  }

  #begin(from: End, to: End): void {
    if (from.readBuf.length > 0) this.#forward(from, to, from.readBuf);
    if (from.readEnded) this.#end(from, to);
    // A side that has ended must still be read: its transport closes only after it has seen the end.
    if (from.readEnded || !this.#isFull(to)) from.transport!.resume();
  }

  #forward(from: End, to: End, bytes: Uint8Array): void {
    if (this.#over || to.closed) return;
    from.read += bytes.length;
    this.#deadlines.start("idle", this.#idleMs);
    to.transport!.write([bytes]);
    if (this.#isFull(to)) from.transport!.pause();
  }

  #resumeIfRoom(from: End, to: End): void {
    if (this.#over) return;
    this.#deadlines.start("idle", this.#idleMs);
    if (!from.ended && !this.#isFull(to)) from.transport?.resume();
  }

  #isFull(end: End): boolean {
    const { unacceptedBytes } = end.transport!;
    return unacceptedBytes > 0 && unacceptedBytes >= this.#highWaterBytes;
  }

  #end(from: End, to: End): void {
    if (this.#over) return;
    if (!from.ended) {
      from.ended = true;
      this.#endedBy ??= from.name;
      to.transport!.closeWrite();
    }
    if (!to.ended) return;
    // They close once everything read is written; until then the idle deadline runs.
    from.transport!.destroy();
    to.transport!.destroy();
  }

  // A side that is gone without an error could not half-close, so it has ended both ways. The other
  // is still read to its end.
  #gone(from: End, to: End, reason: unknown): void {
    if (this.#over) return;
    this.#endedBy ??= from.name;
    from.closed = true;
    const failed = reason !== undefined && reason !== null;
    if (failed || !from.ended) this.#fail(this.#endedBy, transportFailed(reason));
    else if (to.closed) this.#finish();
    else if (!this.#isJoined) this.#fail(from.name, transportFailed(reason));
    else {
      this.#end(to, from);
      to.transport!.resume();
    }
  }

  readonly #onAbort = (cause: unknown): void => {
    this.#fail("signal", new ConnectionError("ABORTED", "signal", { cause }));
  };

  #fail(endedBy: TunnelEnd["endedBy"], error: ConnectionError): void {
    if (this.#over) return;
    this.#over = true;
    this.#endedBy = endedBy;
    this.#error = error;
    if (this.#a.attached) this.#a.transport!.abort(error);
    if (this.#b.attached) this.#b.transport!.abort(error);
    this.#finish();
  }

  #finish(): void {
    this.#over = true;
    const end = { aToB: this.#a.read, bToA: this.#b.read, endedBy: this.#endedBy! };
    this.#done.resolve(this.#error === undefined ? end : { ...end, error: this.#error });
    this.#deadlines.stopAll();
    this.#stopListening();
    this.#trace(this.#a, this.#b);
    this.#trace(this.#b, this.#a);
  }

  #trace({ name, tracing, read }: End, other: End): void {
    const by = this.#endedBy!;
    const side = by === name ? "this" : "other";
    tracing?.tunnelEnded({
      sent: other.read,
      received: read,
      endedBy: by === "a" || by === "b" ? side : by,
      ...(this.#error !== undefined && { error: this.#error }),
    });
  }
}

function partsOf(side: Parts<unknown> | Io): Parts<unknown> {
  const hasParts = "readBuf" in Object(side);
  return hasParts ? (side as Parts<unknown>) : { io: side, readBuf: NOTHING, readEnded: false };
}

/** @throws {LocalProtocolError} `INVALID_IO`, with the reason. */
function endOf(name: Name, side: TunnelSide): End {
  const state = { name, read: 0, attached: false, ended: false, closed: false };
  if (isThenable(side)) {
    const unknown = { transport: undefined, tracing: undefined };
    return { ...state, ...unknown, readBuf: NOTHING, readEnded: false };
  }
  const parts = partsOf(side);
  const { io, readBuf: read, readEnded } = parts;
  const tracing = TakenParts.tracingOf(parts);
  const readBuf = asBytes(read);
  if (readBuf === undefined) {
    throw new LocalProtocolError("INVALID_IO", "its readBuf is not a Uint8Array");
  }
  return { ...state, transport: adopt(io), tracing, readBuf, readEnded };
}

const ignore = (): void => {};

type Side = Parts<unknown> | Io;

/** Adopts a promised side. If its `then` throws, it rejects. */
function arrival(side: PromiseLike<unknown>): Promise<Side> {
  return new Promise((resolve) => resolve(side as PromiseLike<Side>));
}

/** Aborts a side that is no longer needed, at the latest when it arrives. */
function abortSide(side: TunnelSide, reason: ConnectionError): void {
  if (isThenable(side)) arrival(side).then((late) => abortSide(late, reason), ignore);
  else abandon(partsOf(side).io, reason);
}
