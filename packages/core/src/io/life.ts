// driver ↔ [life] ↔ transport: how a connection ends: well, badly, or in somebody else's hands

import type { HttpConnection } from "../connection.ts";
import { ConnectionError, LocalProtocolError, type UpgradeError } from "../errors.ts";
import { forget } from "../forget.ts";
import { transportFailed } from "./causes.ts";
import type { Deadlines } from "./deadlines.ts";
import { type CloseReason, Ending } from "./ending.ts";
import type { Side } from "./side.ts";
import type { Transport } from "./transport.ts";
import type { Writing } from "./writing.ts";

/**
 * Where a connection stands as a whole: `http` goes on; `finishing`, it is over but for our last
 * bytes; `lingering`, our side has ended and the peer's is awaited; `kept-open`, the io waits for
 * its next owner; `released` to him; `down`.
 */
type Phase = "http" | "finishing" | "lingering" | "kept-open" | "released" | "down";

/** What ends with a connection. */
export interface Mortal {
  readonly http: HttpConnection;
  readonly transport: Transport;
  readonly writing: Writing;
  readonly deadlines: Deadlines;
  readonly bytesRead: number;
  readonly side: Side;
  /** The body in hand will not be completed. */
  failBody(why: () => UpgradeError): void;
}

/** The phases of one connection, and the moves between them. */
export class Life {
  readonly ending = new Ending();
  readonly #of: Mortal;
  #phase: Phase = "http";
  #finishReason: CloseReason | undefined;
  #isPromised = false;
  #lingerLeft = 0;

  constructor(of: Mortal) {
    this.#of = of;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /**
   * HTTP ends well. The io is shut down, unless somebody waits for the end without shutdown, or
   * has been promised the io.
   *
   * A peer that owes nothing may let our read wait for ever. If it cannot be withdrawn, only a
   * promised io is still waited for: any other cannot be left open, and is shut down.
   */
  finish(reason: CloseReason, promised: boolean): void {
    if (this.#phase !== "http") return;
    const { transport } = this.#of;
    if (!promised && this.ending.isPolled && !transport.pause() && transport.isStuck === true) {
      this.ending.refuse(new LocalProtocolError("READ_PENDING"));
    }
    this.#phase = "finishing";
    this.#isPromised = promised;
    this.#finishReason = reason;
    this.ending.reason = reason;
    this.#of.deadlines.keepOnly("write", "close");
    this.#of.writing.flush();
    this.settle();
  }

  /** A switch, and an end without shutdown, wait until our last byte is accepted (L3). */
  settle(): void {
    if (this.#phase === "http" && this.#of.http.hasSwitched) {
      if (this.#isQuiet()) this.#completeSwitch();
    } else if (this.#phase === "finishing") {
      if (!this.ending.isPolled && !this.#isPromised) this.#shutDown();
      else if (this.#isQuiet()) this.#keepOpen();
    } else if (this.#phase === "lingering") {
      this.#awaitEnd();
    }
  }

  // All of ours is out (L3), and no read of ours may bring what belongs to the next owner (L17).
  #isQuiet(): boolean {
    const { transport, writing } = this.#of;
    return transport.pause() && !transport.isReading && writing.isFlushed;
  }

  #completeSwitch(): void {
    const { deadlines, http, side } = this.#of;
    this.#phase = "kept-open";
    deadlines.stopAll();
    deadlines.start("claim", http.limits.claimMs);
    this.#tellOver({ kind: "switched", protocol: side.switched!.protocol });
    side.onTakeable();
  }

  #keepOpen(): void {
    this.#phase = "kept-open";
    this.#of.deadlines.stopAll();
    this.#tellOver(this.#finishReason!);
    this.ending.down();
    this.#of.side.onTakeable();
  }

  #shutDown(): void {
    this.#linger();
    this.#tellOver(this.#finishReason!);
  }

  // RFC 9112 §9.6: closing with unread bytes makes TCP reset, and a reset destroys our last words.
  #linger(): void {
    const { deadlines, http, transport, writing } = this.#of;
    this.#phase = "lingering";
    deadlines.keepOnly("write", "close");
    this.#lingerLeft = http.limits.lingerBytes;
    writing.flush();
    transport.closeWrite();
    if (http.endReceived) transport.destroy();
    else transport.resume();
    this.#awaitEnd();
  }

  // A slow reader has the time that any write has; the peer's end is awaited behind our last byte.
  #awaitEnd(): void {
    const { deadlines, http } = this.#of;
    if (this.#owesWords || deadlines.has("linger") || this.#phase !== "lingering") return;
    deadlines.start("linger", http.limits.lingerMs);
  }

  // What a client has not said by then is an upload that was answered: nobody waits for it.
  get #owesWords(): boolean {
    return this.#of.http.role === "server" && !this.#of.writing.isFlushed;
  }

  /** Bytes behind the end of HTTP: thrown away, and counted. */
  throwAway(length: number): void {
    this.#lingerLeft -= length;
    if (this.#lingerLeft < 0) this.giveUp(new ConnectionError("ABORTED", "lingerBytes"));
  }

  /** HTTP ends badly. The peer sees a failure, unless the role had an answer to say. */
  fail(error: UpgradeError): void {
    if (this.#phase === "lingering") this.giveUp(error);
    if (this.#phase !== "http" && this.#phase !== "finishing") return;
    const { bytesRead, side, writing } = this.#of;
    error.annotate({ bytesRead, bytesWritten: writing.outbox.handed });
    const reason = { kind: "failed", error } as const;
    this.ending.reason = reason;
    const wasHttp = this.#phase === "http";
    if (wasHttp && side.answerFailure(error)) this.#linger();
    else this.giveUp(error);
    // Who is told now may take the io, or end it again: all that is ours to do to it is done.
    this.#tellOver(reason);
    if (wasHttp) side.onFailed(error);
  }

  /** The transport is gone. */
  gone(reason: unknown): void {
    this.fail(transportFailed(reason));
  }

  /** Nobody took the parts of the switched connection. */
  disown(): void {
    const error = new ConnectionError("SWITCH_UNCLAIMED");
    this.ending.overrule({ kind: "failed", error });
    this.giveUp(error);
    this.#of.side.onFailed(error);
  }

  /** As `Connection.abort`. */
  abort(reason: unknown): void {
    const error = new ConnectionError("ABORTED", "", { cause: reason });
    if (this.#phase === "lingering" || this.#phase === "kept-open") this.giveUp(error);
    else this.fail(error);
  }

  /** The io is given up, so that the peer sees a failure. */
  giveUp(error: UpgradeError): void {
    this.#of.transport.abort(error);
    this.#endLingering(error);
  }

  // An end that looked good is none where our last words did not get out.
  #endLingering(error: UpgradeError): void {
    const lost = this.#phase === "lingering" && this.#owesWords;
    if (lost && this.ending.reason?.kind !== "failed")
      this.ending.overrule({ kind: "failed", error });
    this.#goDown();
  }

  #goDown(): void {
    this.#phase = "down";
    this.#of.deadlines.stopAll();
    this.#of.writing.stop();
    this.ending.down();
  }

  /** Lets go of the io, as it is. Callers have claimed it. */
  release(): void {
    const { deadlines, transport, writing } = this.#of;
    const wasDown = this.#phase === "down";
    this.#phase = "released";
    deadlines.stopAll();
    writing.stop();
    if (!wasDown) transport.release();
    if (!this.ending.isOver) {
      const because = `by ${this.ending.owner}`;
      this.#tellOver({ kind: "taken-apart", because }, new ConnectionError("TAKEN_APART"));
    }
    this.ending.down();
  }

  #tellOver(reason: CloseReason, told?: UpgradeError): void {
    let error = told ?? (reason.kind === "failed" ? reason.error : undefined);
    // Behind a good end hardly anybody wants an error, and its stack is dear.
    const why = (): UpgradeError => {
      error ??= new ConnectionError("ABORTED", reason.kind);
      return error;
    };
    this.ending.over(reason);
    this.#of.failBody(why);
    this.#of.side.onOver(why);
    // No more is read or sent here.
    forget();
  }
}
