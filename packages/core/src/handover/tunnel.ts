// parts ↔ [tunnel] ↔ parts: joins two ios, with half-close and back-pressure

import { ConnectionError } from "../base/errors.ts";
import {
  CLOCK,
  checkOptions,
  DURATION,
  FUNCTION,
  type Kinds,
  SIGNAL,
  SIZE,
} from "../base/options.ts";
import { type Clock, systemClock } from "../driver/clock.ts";
import { Deadlines } from "../driver/deadlines.ts";
import { listen, type SignalLike } from "../driver/listening.ts";
import { transportFailed } from "../transports/causes.ts";
import { Deferred, isThenable } from "../transports/deferred.ts";
import { TakenParts } from "./parts.ts";
import {
  abortSide,
  arrival,
  type End,
  endOf,
  partsOf,
  type Side,
  type TunnelSide,
} from "./tunnel-side.ts";

/** Sees what goes through a {@link tunnel}. */
export type Tap = (bytes: Uint8Array, from: "a" | "b") => void;

/** What ends a {@link tunnel} from outside, and sees what goes through it. */
export interface TunnelOptions {
  /** Aborts both sides. */
  readonly signal?: SignalLike | undefined;
  /**
   * Aborts both sides after this many milliseconds without progress. Also limits the wait for a side
   * that is a promise. Default 3,600,000, an hour; 0 means never.
   */
  readonly idleMs?: number | undefined;
  /** How many bytes may be queued on one side before the other is paused. Default 65,536. */
  readonly highWaterBytes?: number | undefined;
  /**
   * Called with the bytes that are sent on, and the side they are from, in order, `readBuf` first. They
   * are not the callee's to change or to keep. If it throws, both sides are aborted.
   */
  readonly tap?: Tap | undefined;
  readonly clock?: Clock | undefined;
}

const TUNNEL_OPTIONS: Kinds<TunnelOptions> = {
  signal: SIGNAL,
  idleMs: DURATION,
  highWaterBytes: SIZE,
  tap: FUNCTION,
  clock: CLOCK,
};

/** How a tunnel ended. */
export interface TunnelEnd {
  /** Bytes sent from a to b, including `readBuf`. */
  readonly aToB: number;
  readonly bToA: number;
  /** What ended it: the side that ended or failed first, the signal, the idle deadline, or the tap. */
  readonly endedBy: "a" | "b" | "signal" | "idle" | "tap";
  /**
   * After the idle deadline: the side that did not read what was sent to it; if there is none, the one
   * that sent nothing although it could. Both if it is the same for both. The error says which.
   */
  readonly stalled?: "a" | "b" | "both";
  /**
   * Why it failed: `TRANSPORT_FAILED`, or `ABORTED` by the signal, the idle deadline or the tap. Its `cause` is
   * the error of the io, the rejection of a promised side, `INVALID_IO` for a side that cannot be
   * joined, the signal's reason, what the tap threw, or `CALLBACK_FAILED` if the clock threw.
   */
  readonly error?: ConnectionError;
}

// Longer than any protocol's own heartbeat, and than what NATs keep.
const IDLE_MS = 3_600_000;

// In the order in which one explains the other. Until the end, one side at least is not closed.
const STALLS: readonly (readonly [did: string, is: (end: End) => boolean])[] = [
  ["has not arrived", ({ attached }) => !attached],
  ["did not read", ({ transport }) => transport!.unacceptedBytes > 0],
  ["sent nothing", ({ ended }) => !ended],
  ["did not close", ({ closed }) => !closed],
];

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
  readonly #tap: Tap | undefined;
  #stalled: TunnelEnd["stalled"];
  readonly #stopListening: () => void = ignore;
  #endedBy: TunnelEnd["endedBy"] | undefined;
  #error: ConnectionError | undefined;
  #isJoined = false;
  #over = false;

  constructor(a: TunnelSide, b: TunnelSide, options: TunnelOptions) {
    checkOptions(options, TUNNEL_OPTIONS);
    // The size of a socket buffer: enough to keep both kernels busy.
    this.#highWaterBytes = options.highWaterBytes ?? 65_536;
    this.#idleMs = options.idleMs ?? IDLE_MS;
    this.#tap = options.tap;
    // Both are checked before either is touched.
    this.#a = endOf("a", a);
    this.#b = endOf("b", b);
    this.#deadlines = new Deadlines(options.clock ?? systemClock, {
      deadlinePassed: () => this.#idle(),
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

  #arrived(end: End, other: End, side: Side): void {
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
    if (!this.#passTap(from, bytes)) return;
    from.read += bytes.length;
    this.#deadlines.start("idle", this.#idleMs);
    to.transport!.write([bytes]);
    if (this.#isFull(to)) from.transport!.pause();
  }

  #passTap({ name }: End, bytes: Uint8Array): boolean {
    try {
      this.#tap?.(bytes, name);
      // It may have aborted the signal.
      return !this.#over;
    } catch (cause) {
      this.#fail("tap", new ConnectionError("ABORTED", "tap", { cause }));
      return false;
    }
  }

  #idle(): void {
    const sides = [this.#a, this.#b];
    const [did, is] = STALLS.find(([, is]) => sides.some(is))!;
    const [first, second] = sides.filter(is);
    this.#stalled = second === undefined ? first!.name : "both";
    this.#fail("idle", new ConnectionError("ABORTED", `idleMs: ${this.#stalled} ${did}`));
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
    this.#done.resolve({
      ...{ aToB: this.#a.read, bToA: this.#b.read, endedBy: this.#endedBy! },
      ...(this.#stalled !== undefined && { stalled: this.#stalled }),
      ...(this.#error !== undefined && { error: this.#error }),
    });
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

const ignore = (): void => {};
