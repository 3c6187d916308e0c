// parts ↔ [tunnel] ↔ parts: two ios joined, with half-close and back-pressure

import { ConnectionError, LocalProtocolError } from "../errors.ts";
import { asBytes } from "../octets.ts";
import { CLOCK, checkOptions, DURATION, type Kinds, SIGNAL, SIZE } from "../options.ts";
import { abandon, adopt, type Io } from "./adopt.ts";
import { transportFailed } from "./causes.ts";
import { type Clock, systemClock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";
import { Deferred, isThenable } from "./deferred.ts";
import { listen, type SignalLike } from "./listening.ts";
import type { Parts } from "./parts.ts";
import type { Transport } from "./transport.ts";

/**
 * One side of a tunnel: the parts of a connection, an io that nobody has read from, or a promise of
 * either, such as `request.switchTo()`.
 */
export type TunnelSide = Parts<unknown> | Io | PromiseLike<Parts<unknown> | Io>;

export interface TunnelOptions {
  /** Aborts both sides. */
  readonly signal?: SignalLike | undefined;
  /**
   * Aborts both sides when nothing has moved for this long, in milliseconds. It also limits the wait
   * for a side that is a promise. Default: none.
   */
  readonly idleMs?: number | undefined;
  /** Bytes that may wait in one side before the other is paused. Default 65,536. */
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
  /** Bytes that went from a to b, `readBuf` included. */
  readonly aToB: number;
  readonly bToA: number;
  /** What ended it: the side that ended or failed first, the signal, or the idle deadline. */
  readonly endedBy: "a" | "b" | "signal" | "idle";
  /**
   * Why it failed: `TRANSPORT_FAILED`, or `ABORTED` by the signal or the idle deadline. Its `cause` is
   * the error of the io, the reason a promised side was rejected with, the `INVALID_IO` of one that
   * cannot be joined, the signal's reason, or the `CALLBACK_FAILED` of a clock that threw.
   */
  readonly error?: ConnectionError;
}

type Name = "a" | "b";

const NOTHING = new Uint8Array(0);

/** One end of a tunnel: what it reads goes to the other. */
interface End {
  readonly name: Name;
  /** Undefined until its promise has resolved. */
  transport: Transport | undefined;
  readBuf: Uint8Array;
  readEnded: boolean;
  /** Bytes read from it. */
  read: number;
  /** We listen to it. It may end or fail at that moment. */
  attached: boolean;
  ended: boolean;
  closed: boolean;
}

/**
 * Joins two ios: each `readBuf` is sent first, the end of one side ends our writing on the other, and
 * an error on one side, or one that has failed already, aborts both.
 *
 * It owns both sides from this call on, whatever happens. If a promised side is rejected, or if one
 * side fails while the other is still promised, the other is aborted, at the latest when it arrives.
 *
 * Resolves when both ios are closed, or as soon as one has failed.
 *
 * @throws {LocalProtocolError} `INVALID_IO`, `INVALID_OPTION`, and `CALLBACK_FAILED` for a signal that
 *   throws: no byte was moved. An io that cannot be joined stays as it is; any other is aborted.
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
    giveUp(a, reason);
    giveUp(b, reason);
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
    // As much as a socket's own buffer: enough to keep both kernels busy.
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
      giveUp(side, this.#error!);
      return;
    }
    this.#attach(end, other);
    this.#beginIfJoined();
  }

  // Until the other side is here nothing is read, but the end and the failure of this one are noticed.
  #attach(from: End, to: End): void {
    from.attached = true;
    from.transport!.attach({
      opened: ignore,
      data: (bytes) => this.#forward(from, to, bytes),
      ended: () => {
        // Its readBuf is still to be sent.
        if (!this.#isJoined) from.readEnded = true;
        else this.#end(from, to);
      },
      // What `from` has accepted makes room for more from `to`.
      accepted: () => this.#relieve(to, from),
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
    // A side that has ended is read as well: its transport closes only after it has seen the end.
    if (from.readEnded || !this.#isFull(to)) from.transport!.resume();
  }

  #forward(from: End, to: End, bytes: Uint8Array): void {
    if (this.#over || to.closed) return;
    from.read += bytes.length;
    this.#deadlines.start("idle", this.#idleMs);
    to.transport!.write([bytes]);
    if (this.#isFull(to)) from.transport!.pause();
  }

  #relieve(from: End, to: End): void {
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
    // They close when all that was read is written: until then the idle deadline runs.
    from.transport!.destroy();
    to.transport!.destroy();
  }

  // A side that is gone without an error has ended both ways: it could not half-close. The other is
  // read to its end all the same.
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
  }
}

function partsOf(side: Parts<unknown> | Io): Parts<unknown> {
  const hasParts = "readBuf" in Object(side);
  return hasParts ? (side as Parts<unknown>) : { io: side, readBuf: NOTHING, readEnded: false };
}

/** @throws {LocalProtocolError} `INVALID_IO`, with the reason. */
function endOf(name: Name, side: TunnelSide): End {
  const state = { name, read: 0, attached: false, ended: false, closed: false };
  if (isThenable(side))
    return { ...state, transport: undefined, readBuf: NOTHING, readEnded: false };
  const { io, readBuf: read, readEnded } = partsOf(side);
  const readBuf = asBytes(read);
  if (readBuf === undefined) {
    throw new LocalProtocolError("INVALID_IO", "its readBuf is not a Uint8Array");
  }
  return { ...state, transport: adopt(io), readBuf, readEnded };
}

const ignore = (): void => {};

type Side = Parts<unknown> | Io;

/** A promised side. One whose `then` throws is rejected. */
function arrival(side: PromiseLike<unknown>): Promise<Side> {
  return new Promise((resolve) => resolve(side as PromiseLike<Side>));
}

/** Aborts a side that has no use any more, or will have none when it arrives. */
function giveUp(side: TunnelSide, reason: ConnectionError): void {
  if (isThenable(side)) arrival(side).then((late) => giveUp(late, reason), ignore);
  else abandon(partsOf(side).io, reason);
}
