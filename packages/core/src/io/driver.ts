// bytes ↔ transport ↔ [driver] ↔ connection ↔ application: the only place that waits; both roles

import { HttpConnection } from "../connection.ts";
import { ConnectionError, UpgradeError } from "../errors.ts";
import type { Event, EventToSend, Wait } from "../events.ts";
import type { LimitOptions, Limits } from "../limits.ts";
import type { Role } from "../role.ts";
import { adopt } from "./adopt.ts";
import type { BodyDisposal, BodyOwner } from "./body.ts";
import type { Clock } from "./clock.ts";
import { type DeadlineName, Deadlines } from "./deadlines.ts";
import { Draining } from "./draining.ts";
import { type CloseReason, Ending } from "./ending.ts";
import type { ReceivedMessage } from "./received-message.ts";
import type { Side } from "./side.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import { Writing } from "./writing.ts";

/**
 * Where a connection stands as a whole: `http` goes on; `finishing`, it is over but for our last
 * bytes; `lingering`, our side has ended and the peer's is awaited; `kept-open`, the io waits for
 * its next owner; `released` to him; `down`.
 */
type Phase = "http" | "finishing" | "lingering" | "kept-open" | "released" | "down";

/** What the reading half waits for, each with a deadline of its own. */
type Awaited = "head" | "idle" | "body";

/** Deadlines whose passing is the end. */
const TIMEOUTS = {
  head: "HEAD_TIMEOUT",
  body: "BODY_TIMEOUT",
  write: "WRITE_TIMEOUT",
  close: "CLOSE_TIMEOUT",
} as const;

/** Drives one connection over one transport, from the handshake to the end of HTTP. */
export class Driver implements BodyOwner, TransportEvents {
  readonly http: HttpConnection;
  readonly limits: Limits;
  readonly ending = new Ending();
  readonly deadlines: Deadlines;
  readonly transport: Transport;
  readonly writing: Writing;
  /** The peer's message of this cycle. */
  incoming: ReceivedMessage | undefined;
  /** Requests begun. */
  requests = 0;
  bytesRead = 0;
  /** `close()` was called. */
  isClosing = false;
  #side!: Side;
  #phase: Phase = "http";
  #wait: Wait = "need-data";
  #advancing = false;
  #awaited: Awaited | undefined;
  #finishReason: CloseReason | undefined;
  #isPromised = false;
  #draining: Draining | undefined;
  #lingerLeft = 0;

  /** @throws {LocalProtocolError} `INVALID_IO`, `INVALID_OPTION`: the io is untouched. */
  constructor(role: Role, io: unknown, options: LimitOptions, clock: Clock) {
    this.http = new HttpConnection(role, options);
    this.limits = this.http.limits;
    this.transport = adopt(io);
    this.deadlines = new Deadlines(clock, (name) => this.#onDeadline(name));
    this.writing = new Writing(this.transport, this.deadlines, this.limits);
  }

  /** From here on bytes are read, and a failure of the io has a listener. */
  start(side: Side): void {
    this.#side = side;
    this.transport.attach(this);
    this.deadlines.start("age", this.limits.maxAgeMs);
    this.#regulate();
  }

  /** Messages may be sent and received. */
  get isLive(): boolean {
    return this.#phase === "http";
  }

  /** The io waits for its next owner. */
  get isKeptOpen(): boolean {
    return this.#phase === "kept-open";
  }

  /** The io is shut down, or gone. */
  get isDown(): boolean {
    return this.#phase === "down";
  }

  get side(): Side {
    return this.#side;
  }

  opened(): void {
    this.writing.flush();
  }

  data(bytes: Uint8Array): void {
    this.bytesRead += bytes.length;
    if (this.#phase === "lingering") {
      this.#throwAway(bytes.length);
      return;
    }
    this.http.receiveData(bytes);
    if (this.#awaited === "body") this.#startWaiting("body");
    this.advance();
  }

  ended(): void {
    this.http.receiveEof();
    if (this.#phase === "lingering") this.transport.destroy();
    this.advance();
    if (this.isLive) this.#side.onPeerEnd();
  }

  accepted(): void {
    this.writing.accepted();
    this.#settle();
  }

  gone(reason: unknown): void {
    if (this.#phase === "lingering") this.#goDown();
    else this.fail(asConnectionError(reason));
  }

  /** Says something to the peer. It leaves with everything else that is said in this turn. */
  say(event: EventToSend): void {
    this.http.sendTo(this.writing.outbox, event);
    if (!this.#advancing) this.writing.schedule();
  }

  /** Reads on as far as the state allows. To be called after anything that may have moved it. */
  advance(): void {
    if (this.#advancing) return;
    this.#advancing = true;
    try {
      while (this.#step()) {
        // Each step is one event, or the beginning of the next cycle.
      }
    } finally {
      this.#advancing = false;
    }
    this.writing.flush();
    this.#settle();
    this.#regulate();
  }

  #step(): boolean {
    if (this.#phase !== "http" || this.http.hasSwitched) return false;
    if (this.http.cycleIsOver) {
      this.http.startNextCycle();
      this.incoming = undefined;
      this.#side.onNextCycle();
      return true;
    }
    if (this.#lastWordIsSaid()) this.finish(this.#whyItEnds());
    if (this.#phase !== "http" || this.#bodyIsFull()) return false;
    try {
      const next = this.http.nextEvent();
      if (typeof next === "object") this.#dispatch(next);
      else this.#wait = next;
      return typeof next === "object";
    } catch (error) {
      if (!(error instanceof UpgradeError)) throw error;
      this.fail(error);
      return false;
    }
  }

  #dispatch(event: Event): void {
    switch (event.type) {
      case "request":
      case "response":
      case "informational-response":
        this.#side.onHead(event);
        break;
      case "data":
        if (this.#draining === undefined) this.incoming!.push(event.bytes);
        else this.#drained(this.#draining.take(event.bytes.length));
        break;
      case "end-of-message":
        this.incoming?.end(event.trailers);
        this.#endDraining("drained");
        this.#side.onMessageEnd();
        break;
      case "connection-closed":
        // What follows from it is in the states already.
        break;
    }
  }

  // A server that has said its last word is done, whatever the client still sends; a client waits
  // for the answer, too.
  #lastWordIsSaid(): boolean {
    const { role, ourState, theirState } = this.http;
    if (ourState !== "must-close") return false;
    return role === "server" || theirState === "must-close" || theirState === "closed";
  }

  #whyItEnds(): CloseReason {
    if (this.isClosing) return { kind: "closed", because: "close() was called" };
    if (this.ending.reason !== undefined) return this.ending.reason;
    if (this.http.theirState === "closed") {
      return { kind: "peer-ended", because: "the peer ended its side between messages" };
    }
    return { kind: "not-persistent", because: "one end does not let the connection live on" };
  }

  /**
   * HTTP ends well. The io is shut down, unless somebody waits for the end without shutdown, or
   * has been promised the io.
   */
  finish(reason: CloseReason, promised = false): void {
    if (this.#phase !== "http") return;
    this.#phase = "finishing";
    this.#isPromised = promised;
    this.#finishReason = reason;
    this.ending.reason = reason;
    this.writing.flush();
    this.#settle();
  }

  // A switch, and an end without shutdown, wait until our last byte is accepted (L3).
  #settle(): void {
    if (this.#phase === "http" && this.http.hasSwitched) {
      if (this.writing.isFlushed && this.transport.pause()) this.#completeSwitch();
    } else if (this.#phase === "finishing") {
      if (!this.ending.isPolled && !this.#isPromised) this.#linger(this.#finishReason!);
      else if (this.writing.isFlushed && this.transport.pause()) this.#keepOpen();
    }
  }

  #completeSwitch(): void {
    this.#phase = "kept-open";
    this.deadlines.stopAll();
    this.deadlines.start("claim", this.limits.claimMs);
    this.#tellOver({ kind: "switched", protocol: this.#side.switched!.protocol });
    this.#side.onTakeable();
  }

  #keepOpen(): void {
    this.#phase = "kept-open";
    this.deadlines.stopAll();
    this.#tellOver(this.#finishReason!);
    this.ending.down();
    this.#side.onTakeable();
  }

  // RFC 9112 §9.6: closing with unread bytes makes TCP reset, and a reset destroys our last words.
  #linger(reason: CloseReason): void {
    this.#phase = "lingering";
    this.deadlines.stopAll();
    this.deadlines.start("linger", this.limits.lingerMs);
    this.#lingerLeft = this.limits.lingerBytes;
    this.#tellOver(reason);
    this.transport.closeWrite();
    if (this.http.endReceived) this.transport.destroy();
    else this.transport.resume();
  }

  #throwAway(length: number): void {
    this.#lingerLeft -= length;
    if (this.#lingerLeft < 0) this.#giveUp(new ConnectionError("ABORTED", "lingerBytes"));
  }

  /** HTTP ends badly. The peer sees a failure, unless the role had an answer to say. */
  fail(error: UpgradeError): void {
    if (this.#phase !== "http" && this.#phase !== "finishing") return;
    const { handed } = this.writing.outbox;
    error.annotate({ bytesRead: this.bytesRead, bytesWritten: handed });
    this.ending.reason = { kind: "failed", error };
    this.incoming?.fail(error);
    if (this.#phase === "http" && this.#side.onFailure(error)) {
      this.writing.flush();
      this.#linger(this.ending.reason);
    } else {
      this.#tellOver(this.ending.reason);
      this.#giveUp(error);
    }
  }

  #giveUp(error: unknown): void {
    this.transport.abort(error);
    this.#goDown();
  }

  #goDown(): void {
    this.#phase = "down";
    this.deadlines.stopAll();
    this.writing.stop();
    this.ending.down();
  }

  #tellOver(reason: CloseReason): void {
    const error =
      reason.kind === "failed" ? reason.error : new ConnectionError("ABORTED", reason.kind);
    this.ending.over(reason);
    this.incoming?.fail(error);
    this.#endDraining("closed");
    this.#side.onOver(error);
  }

  // As far ahead as shows that the peer is gone, and not a byte that may be the next protocol's.
  #regulate(): void {
    if (this.#phase !== "http") return;
    const { theirState, endReceived } = this.http;
    const notOurs = theirState === "might-switch-protocol" || theirState === "switched-protocol";
    const ahead = this.#wait === "paused" && this.http.bufferedBytes >= this.limits.readAheadBytes;
    const reading = !endReceived && !notOurs && !ahead && !this.#bodyIsFull();
    if (reading) this.transport.resume();
    else this.transport.pause();
    const awaited = this.#whatIsAwaited(reading);
    if (awaited === this.#awaited) return;
    if (this.#awaited !== undefined) this.deadlines.stop(this.#awaited);
    this.#awaited = awaited;
    if (awaited !== undefined) this.#startWaiting(awaited);
  }

  #bodyIsFull(): boolean {
    const { incoming } = this;
    return incoming !== undefined && incoming.queuedBytes >= this.limits.readAheadBytes;
  }

  #whatIsAwaited(reading: boolean): Awaited | undefined {
    const { theirState, headHasBegun } = this.http;
    if (theirState === "send-body") return reading ? "body" : undefined;
    if (theirState !== "idle" && theirState !== "send-response") return undefined;
    if (headHasBegun) return "head";
    return theirState === "idle" && this.#side.isIdle ? "idle" : undefined;
  }

  #startWaiting(awaited: Awaited): void {
    const { headMs, idleMs, bodyProgressMs } = this.limits;
    // A new connection owes its first head; only later ones may idle.
    const silent = this.http.role === "server" && this.requests === 0;
    const ms = { head: headMs, idle: silent ? headMs : idleMs, body: bodyProgressMs };
    this.deadlines.start(awaited, ms[awaited]);
  }

  #onDeadline(name: DeadlineName): void {
    switch (name) {
      case "head":
      case "body":
      case "write":
      case "close":
        this.fail(new ConnectionError(TIMEOUTS[name], "", { phase: name }));
        break;
      case "idle":
        this.finish({ kind: "idle", because: "nothing came within the idle deadline" });
        break;
      case "linger":
        this.#giveUp(new ConnectionError("ABORTED", "lingerMs"));
        break;
      case "drain":
        this.#drained(new ConnectionError("DRAIN_TIMEOUT", "", { phase: "drain" }));
        break;
      case "claim":
        this.#disown();
        break;
      case "age":
        this.retire("maxAgeMs");
        break;
      default:
        this.#side.onDeadline(name);
    }
  }

  /** The exchange in hand is the last; without one, HTTP ends now. */
  retire(because: string): void {
    this.ending.reason ??= { kind: "not-persistent", because };
    this.http.endPersistence();
    if (this.#side.isIdle && !this.http.headHasBegun) this.finish(this.#whyItEnds());
  }

  #disown(): void {
    const error = new ConnectionError("SWITCH_UNCLAIMED");
    this.ending.overrule({ kind: "failed", error });
    this.#side.onFailure(error);
    this.#giveUp(error);
  }

  bodyWanted(): void {
    this.#side.onBodyWanted();
    this.advance();
  }

  bodyTaken(): void {
    if (!this.#bodyIsFull()) this.advance();
  }

  /** Reads the rest of the peer's body and throws it away, within the limits. */
  discardBody(): Promise<BodyDisposal> {
    if (this.#draining !== undefined) return this.#draining.done;
    const { incoming } = this;
    if (incoming?.isComplete === true) return Promise.resolve("drained");
    if (incoming === undefined || !this.isLive) return Promise.resolve("closed");
    incoming.discard();
    const draining = new Draining(this.limits, this.deadlines);
    this.#draining = draining;
    this.advance();
    return draining.done;
  }

  #drained(error: ConnectionError | undefined): void {
    if (error === undefined) return;
    this.#endDraining("closed");
    this.#side.onDrainFailed(error);
  }

  #endDraining(disposal: BodyDisposal): void {
    this.#draining?.end(disposal);
    this.#draining = undefined;
  }

  /** As `Connection.close`. */
  close(timeoutMs: number): Promise<CloseReason> {
    if (this.isLive && !this.http.hasSwitched) {
      this.isClosing = true;
      this.deadlines.startEarlier("close", timeoutMs);
      this.#side.onClose();
      this.retire("close() was called");
    }
    return this.ending.closed;
  }

  /** As `Connection.abort`. */
  abort(reason: unknown): void {
    const error = new ConnectionError("ABORTED", "", { cause: reason });
    if (this.#phase === "lingering" || this.#phase === "kept-open") this.#giveUp(error);
    else this.fail(error);
  }

  /** Lets go of the io, as it is. Callers have claimed it. */
  release(): void {
    if (this.#phase === "released") return;
    const wasDown = this.#phase === "down";
    this.#phase = "released";
    this.deadlines.stopAll();
    this.writing.stop();
    if (!wasDown) this.transport.release();
    if (!this.ending.isOver) {
      const error = new ConnectionError("TAKEN_APART");
      this.incoming?.fail(error);
      this.ending.over({ kind: "taken-apart", because: `by ${this.ending.owner}` });
      this.#endDraining("closed");
      this.#side.onOver(error);
    }
    this.ending.down();
  }
}

function asConnectionError(reason: unknown): UpgradeError {
  if (reason instanceof UpgradeError) return reason;
  const came = reason instanceof Error ? reason.message : "closed";
  return new ConnectionError("TRANSPORT_FAILED", came, { cause: reason });
}
