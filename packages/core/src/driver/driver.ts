// bytes ↔ transport ↔ [driver] ↔ connection ↔ application: the only layer that waits; both roles

import { ConnectionError, LocalProtocolError, type UpgradeError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { HttpConnection } from "../http-connection.ts";
import { isLive, moveOn } from "../lifecycle/lifecycle.ts";
import type { Cause } from "../lifecycle/moves.ts";
import type { Phase } from "../lifecycle/phases.ts";
import type { EventToSend, RequestEvent } from "../message/events.ts";
import type { Switched } from "../message/switched.ts";
import type { Prepared } from "../serializer/prepared.ts";
import { adopt } from "../transports/adopt.ts";
import { transportFailed } from "../transports/causes.ts";
import type { Transport, TransportEvents } from "../transports/transport.ts";
import { type DeadlineName, type DeadlineOwner, Deadlines } from "./deadlines.ts";
import { PERFORM } from "./effects.ts";
import { CLOSED, type CloseReason, Ending, LAST_CYCLE, PEER_ENDED } from "./ending.ts";
import { PASSED } from "./passed.ts";
import { Reading } from "./reading.ts";
import type { Settings } from "./settings.ts";
import type { Side } from "./side.ts";
import { listenerOf, Tracing } from "./tracing.ts";
import { Writing } from "./writing.ts";

/** Drives one connection over one transport, from the handshake to the end of HTTP. */
export class Driver implements TransportEvents, DeadlineOwner {
  readonly http: HttpConnection;
  readonly limits: Limits;
  readonly deadlines: Deadlines;
  readonly transport: Transport;
  readonly reading: Reading;
  readonly writing: Writing;
  side!: Side;
  phase: Phase = "http";
  /** Requests started. */
  requests = 0;
  /** `close()` was called. */
  isClosing = false;
  /** The peer has ended its side. */
  peerEnded = false;
  /** Why the connection ends or cannot be reused. Set as soon as known, which may be before the end. */
  reason: CloseReason | undefined;
  /** What the connection switches to, once both heads are known. */
  switched: Switched | undefined;
  /** The response that refused the last proposal. */
  refusal: unknown;
  /**
   * Takes the parts as soon as possible, if they are promised to an exchange. It is an object: with
   * a function for each connection V8 kept dead connections until a full collection.
   */
  taker: { take(): void } | undefined;
  #lingerLeft = 0;
  #ending: Ending | undefined;
  /** Undefined unless the connection is traced. */
  readonly tracing: Tracing | undefined;

  /**
   * @throws {LocalProtocolError} `INVALID_IO`, `NO_WEBASSEMBLY`, and `CALLBACK_FAILED` for a `trace`
   *   that throws; the io is untouched.
   */
  constructor(settings: Settings, io: unknown) {
    const { role, limits, clock } = settings;
    this.limits = limits;
    this.http = new HttpConnection(role, undefined, limits);
    this.transport = adopt(io);
    const listener = listenerOf(settings, io);
    if (listener !== undefined) this.tracing = new Tracing(listener, this, settings);
    this.deadlines = new Deadlines(clock, this);
    this.writing = new Writing(this);
    this.reading = new Reading(this);
  }

  /** Starts reading, and listening for failures of the io. */
  start(side: Side): void {
    this.side = side;
    this.deadlines.start("age", this.limits.maxAgeMs);
    this.transport.attach(this);
    this.reading.regulate();
  }

  /** HTTP is not over. */
  get isLive(): boolean {
    return isLive(this.phase);
  }

  /** Settles what waits for the end. Made on demand: most connections end before anything waits. */
  get ending(): Ending {
    this.#ending ??= new Ending();
    return this.#ending;
  }

  /** A caller polls for the end without shutdown. */
  get isPolled(): boolean {
    return this.#ending?.isPolled === true;
  }

  opened(): void {
    this.writing.opened();
  }

  data(bytes: Uint8Array): void {
    if (this.phase === "lingering") {
      this.#discard(bytes.length);
      return;
    }
    // Everything sent in response to one chunk leaves in one write, before the end of the turn.
    this.writing.cork();
    try {
      this.reading.data(bytes);
    } finally {
      this.writing.uncork(false);
    }
    // The bytes may come from a read that was about to be withdrawn.
    if (this.phase !== "http") this.withdrawn();
  }

  ended(): void {
    this.peerEnded = true;
    this.http.receiveEof();
    if (this.phase === "lingering") this.transport.destroy();
    this.reading.advance();
    if (this.isLive) this.side.receive({ type: "peer-ended" });
    this.withdrawn();
  }

  accepted(): void {
    this.writing.accepted();
    if (this.phase !== "http") this.withdrawn();
    // A finished cycle that has not advanced was held back.
    else if (this.http.cycleIsOver) this.reading.advance();
  }

  withdrawn(): void {
    if (this.phase === "switching" || this.phase === "finishing") this.#awaitQuiet();
    else if (this.phase === "lingering") this.#awaitEnd();
  }

  gone(reason: unknown): void {
    this.fail(transportFailed(reason));
  }

  /** Sends an event to the peer, in one write with everything else sent in this turn. */
  send(event: EventToSend | Prepared): void {
    const { http, tracing, writing } = this;
    if (tracing === undefined) http.sendTo(writing, event);
    else tracing.send(event, writing, (sink) => http.sendTo(sink, event));
    writing.schedule();
  }

  /** Like {@link send}, for a head, its body, of which the octets were checked, and the end. */
  sendWhole(head: Prepared, octets: Uint8Array | string): void {
    const { http, tracing, writing } = this;
    if (tracing === undefined) http.sendPreparedTo(writing, head, octets);
    else {
      tracing.send(head, writing, (sink) => http.sendPreparedTo(sink, head, octets));
      tracing.sentWhole(octets.length);
    }
    writing.schedule();
  }

  /** Sends a request before the responses to earlier ones are complete. */
  pipeline(head: Prepared<RequestEvent>): void {
    const { http, tracing, writing } = this;
    if (tracing === undefined) http.pipelineTo(writing, head);
    else {
      tracing.send(head, writing, (sink) => http.pipelineTo(sink, head));
      tracing.sentWhole(0);
    }
    writing.schedule();
  }

  /** Both heads of a switch were exchanged. */
  switch(): void {
    this.tracing?.switched(this.switched!);
    this.#move("switched", { kind: "switched", protocol: this.switched!.protocol });
    this.#awaitQuiet();
  }

  /** Nothing is left to do. */
  end(): void {
    this.finish(this.#whyItEnds());
  }

  /** This cycle is the last. */
  noteLastCycle(): void {
    this.reason ??= LAST_CYCLE;
  }

  #whyItEnds(): CloseReason {
    if (this.isClosing) return CLOSED;
    return this.reason ?? (this.http.theirState === "closed" ? PEER_ENDED : LAST_CYCLE);
  }

  /** Makes the current exchange the last; if there is none, HTTP ends now. */
  retire(because: string): void {
    this.reason ??= { kind: "not-persistent", because };
    this.http.endPersistence();
    if (this.side.isIdle && !this.http.headHasBegun) this.end();
  }

  /**
   * Ends HTTP cleanly. The io is shut down unless a caller polls for the end without shutdown, or
   * the io is promised to a {@link taker}.
   *
   * An idle peer may leave our read pending forever. If the read cannot be withdrawn, only a
   * promised io is still waited for; any other is shut down, since it cannot be left open.
   */
  finish(reason: CloseReason): void {
    if (this.phase !== "http") return;
    const promised = this.taker !== undefined;
    const { transport } = this;
    if (!promised && this.isPolled && !transport.pause() && transport.isStuck === true) {
      this.ending.refuse(new LocalProtocolError("READ_PENDING"));
    }
    this.reason = reason;
    this.#move("ended", reason);
    if (this.isPolled || promised) this.#awaitQuiet();
    else this.#move("unwanted", reason);
  }

  /** Ends HTTP with a failure, which the peer sees unless the role sends an error response. */
  fail(error: UpgradeError, cause: "failed" | "aborted" = "failed"): void {
    const phase = this.phase;
    const reason: CloseReason = { kind: "failed", error };
    if (isLive(phase) || phase === "finishing") {
      error.annotate({ bytesRead: this.reading.bytesRead, bytesWritten: this.writing.handed });
      this.reason = reason;
    }
    const isAnswered = phase === "http" && this.side.answer?.(error) === true;
    this.#move(isAnswered ? "answered" : cause, reason);
  }

  /** The proposal was refused; HTTP continues. */
  refused(response: { readonly status: number }): void {
    this.refusal = response;
    this.tracing?.refused(response.status);
    this.#ending?.refused(response.status);
  }

  /** See `Connection.abort`. */
  abort(reason: unknown): void {
    this.fail(new ConnectionError("ABORTED", "", { cause: reason }), "aborted");
  }

  /** The parts of a switched connection were not taken in time. */
  unclaimed(error: UpgradeError): void {
    this.#move("unclaimed", { kind: "failed", error });
  }

  /** Releases the io as it is. The caller has claimed it. */
  release(owner: string): void {
    this.#move("taken", { kind: "taken-apart", because: `by ${owner}` });
  }

  #move(cause: Cause, reason: CloseReason): void {
    const from = this.phase;
    const move = moveOn(from, cause);
    if (move === undefined) return;
    this.phase = move.becomes;
    this.tracing?.moved(from, cause, this.phase);
    for (const effect of move.effects) PERFORM[effect](this, reason);
  }

  // A switch, and an end without shutdown, wait until our last byte is accepted (L3) and until no
  // read of ours can take bytes that belong to the next owner (L17).
  #awaitQuiet(): void {
    if (!this.transport.pause() || this.transport.isReading || !this.writing.isFlushed) return;
    const { switched } = this;
    const reason: CloseReason =
      this.phase === "switching"
        ? { kind: "switched", protocol: switched!.protocol }
        : this.reason!;
    this.#move("quiet", reason);
  }

  /**
   * Ends our side of the io after our last byte, then waits for the peer's end: closing with unread
   * bytes makes TCP reset, and a reset can destroy our last response (RFC 9112 §9.6).
   */
  halfClose(): void {
    this.#lingerLeft = this.limits.lingerBytes;
    this.writing.flush();
    this.transport.closeWrite();
    if (this.peerEnded) this.transport.destroy();
    else this.transport.resume();
    this.#awaitEnd();
  }

  // The linger deadline starts after our last byte is accepted; until then the write deadline runs.
  #awaitEnd(): void {
    if (this.hasUnsent || this.deadlines.has("linger") || this.phase !== "lingering") return;
    this.deadlines.start("linger", this.limits.lingerMs);
  }

  // What a client has not sent by then is an upload that was already answered.
  get hasUnsent(): boolean {
    return this.http.role === "server" && !this.writing.isFlushed;
  }

  // Counts and discards bytes after the end of HTTP.
  #discard(length: number): void {
    this.reading.bytesRead += length;
    this.#lingerLeft -= length;
    if (this.#lingerLeft < 0) this.fail(new ConnectionError("ABORTED", "lingerBytes"));
  }

  deadlinePassed(name: DeadlineName): void {
    // A long write that has progressed gets more time.
    if (name === "write" && !this.writing.isStalled()) return;
    this.tracing?.deadline(name);
    PASSED[name](this);
  }

  clockFailed(error: LocalProtocolError): void {
    // Unclaimed parts without a working deadline are given up.
    if (this.phase !== "kept-open") this.fail(error);
    else if (this.http.hasSwitched) this.unclaimed(error);
  }

  /**
   * Closing does not wait for a reader that may never come. An io that is to be handed over must
   * stand between two messages, so the rest of the body is drained first.
   */
  discardUnread(): void {
    if (!this.isClosing || !this.reading.isUnread) return;
    if (this.isPolled) this.reading.drain();
    else this.finish(CLOSED);
  }

  /** See `Connection.close`. */
  close(timeoutMs: number): Promise<CloseReason> {
    if (this.phase === "http" && !this.http.hasSwitched) {
      this.isClosing = true;
      this.deadlines.startEarlier("close", timeoutMs);
      this.side.receive({ type: "closing" });
      this.retire(CLOSED.because);
      this.discardUnread();
    } else if (!this.ending.isOver || this.phase === "lingering") {
      this.deadlines.startEarlier("close", timeoutMs);
    }
    return this.ending.closed;
  }
}
