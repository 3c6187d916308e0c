// bytes ↔ transport ↔ [driver] ↔ connection ↔ application: the only place that waits; both roles

import { HttpConnection } from "../connection.ts";
import { ConnectionError, UpgradeError } from "../errors.ts";
import type { Event, EventToSend, RequestToSend, ResponseToSend, Wait } from "../events.ts";
import { type LimitOptions, type Limits, resolveLimits } from "../limits.ts";
import type { Kinds } from "../options.ts";
import type { Role } from "../role.ts";
import { adopt } from "./adopt.ts";
import { Awaiting } from "./awaiting.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type DeadlineName, Deadlines, type Hurried } from "./deadlines.ts";
import { Draining } from "./draining.ts";
import type { CloseReason, Ending } from "./ending.ts";
import type { BodyDisposal, BodyOwner, Incoming } from "./incoming.ts";
import { Life, type Mortal } from "./life.ts";
import type { Side } from "./side.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import { Writing } from "./writing.ts";

const CLOSED = { kind: "closed", because: "close() was called" } as const;
const LAST_CYCLE = "one end does not let the connection live on";

/** Deadlines whose passing is the end. */
const TIMEOUTS = {
  head: "HEAD_TIMEOUT",
  body: "BODY_TIMEOUT",
  write: "WRITE_TIMEOUT",
  answer: "ANSWER_TIMEOUT",
  close: "CLOSE_TIMEOUT",
} as const;

/** What every driver may be told. */
export interface DriverOptions extends LimitOptions {
  /** Default: the platform's. */
  readonly clock?: Clock | undefined;
}

/** What a role may be told besides the limits. */
export type DriverKinds<Options extends DriverOptions> = Kinds<Omit<Options, keyof LimitOptions>>;

/** Drives one connection over one transport, from the handshake to the end of HTTP. */
export class Driver implements BodyOwner, TransportEvents, Mortal, Hurried {
  readonly http: HttpConnection;
  readonly limits: Limits;
  readonly life: Life = new Life(this);
  readonly deadlines: Deadlines;
  readonly transport: Transport;
  readonly writing: Writing;
  /** The peer's message of this cycle. */
  incoming: Incoming | undefined;
  /** Requests begun. */
  requests = 0;
  bytesRead = 0;
  /** `close()` was called. */
  isClosing = false;
  #side!: Side;
  #wait: Wait = "need-data";
  #advancing = false;
  readonly #awaiting: Awaiting;
  #draining: Draining | undefined;

  /** @throws {LocalProtocolError} `INVALID_IO`, `INVALID_OPTION`, `NO_WEBASSEMBLY`: the io is untouched. */
  constructor(role: Role, io: unknown, options: DriverOptions, kinds: DriverKinds<DriverOptions>) {
    this.limits = resolveLimits(options, role, kinds);
    this.http = new HttpConnection(role, this.limits);
    this.transport = adopt(io);
    this.deadlines = new Deadlines(options.clock ?? systemClock, this);
    this.writing = new Writing(this, this.transport, this.deadlines, this.limits);
    this.#awaiting = new Awaiting(this.http, this.deadlines);
  }

  /** From here on bytes are read, and a failure of the io has a listener. */
  start(side: Side): void {
    this.#side = side;
    this.deadlines.start("age", this.limits.maxAgeMs);
    this.transport.attach(this);
    this.#regulate();
  }

  /** Messages may be sent and received. */
  get isLive(): boolean {
    return this.life.phase === "http";
  }

  /** The io waits for its next owner. */
  get isKeptOpen(): boolean {
    return this.life.phase === "kept-open";
  }

  /** The io is shut down, or gone. */
  get isDown(): boolean {
    return this.life.phase === "down";
  }

  get ending(): Ending {
    return this.life.ending;
  }

  get side(): Side {
    return this.#side;
  }

  opened(): void {
    this.writing.opened();
  }

  data(bytes: Uint8Array): void {
    this.bytesRead += bytes.length;
    if (this.life.phase === "lingering") {
      this.life.throwAway(bytes.length);
      return;
    }
    this.http.receiveData(bytes);
    this.#awaiting.progress(bytes.length, this.incoming?.framing);
    // What is said in answer to one chunk leaves in one write, without waiting for the turn's end.
    this.writing.hold();
    try {
      this.advance();
    } finally {
      this.writing.letGo(false);
    }
  }

  ended(): void {
    this.http.receiveEof();
    if (this.life.phase === "lingering") this.transport.destroy();
    this.advance();
    if (this.isLive) this.#side.onPeerEnd();
  }

  accepted(): void {
    this.writing.accepted();
    // A cycle that is over and stays was held back.
    if (this.http.cycleIsOver) this.advance();
    else this.life.settle();
  }

  withdrawn(): void {
    this.life.settle();
  }

  gone(reason: unknown): void {
    this.life.gone(reason);
  }

  /** Says something to the peer. It leaves with everything else that is said in this turn. */
  say(event: EventToSend): void {
    this.http.sendTo(this.writing.outbox, event);
    this.writing.schedule();
  }

  /** As {@link say}: a head, the body it tells of, and the end. */
  sayWhole(head: RequestToSend | ResponseToSend, body: Uint8Array | string | undefined): void {
    this.http.sendWholeTo(this.writing.outbox, head, body);
    this.writing.schedule();
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
    this.life.settle();
    this.#regulate();
  }

  #step(): boolean {
    if (this.life.phase !== "http" || this.http.hasSwitched) return false;
    if (this.#lastWordIsSaid()) this.finish(this.#whyItEnds());
    const { cycleIsOver } = this.http;
    if (this.life.phase !== "http") return false;
    if (cycleIsOver ? this.#isHeldBack() : this.#bodyIsFull()) return false;
    if (cycleIsOver && this.#mayFollowAtOnce()) {
      this.#startNextCycle();
      return true;
    }
    try {
      // Also between cycles: what came unasked behind an answer is no answer to the next request (L20).
      const next = this.http.nextEvent();
      if (typeof next === "object") this.#dispatch(next);
      else this.#wait = next;
      if (cycleIsOver && this.http.cycleIsOver) this.#startNextCycle();
      return typeof next === "object" || cycleIsOver;
    } catch (error) {
      // What has no code is the transport's fault, as a chunk that was taken away again.
      if (error instanceof UpgradeError) this.fail(error);
      else this.gone(error);
      return false;
    }
  }

  // L12: a client that asks and reads no answer is asked to read first; its next request waits.
  #isHeldBack(): boolean {
    if (this.http.role === "client" || !this.writing.isPressed) return false;
    this.#wait = "paused";
    return true;
  }

  // Between two requests a server is told of nothing but the client's end.
  #mayFollowAtOnce(): boolean {
    return this.http.role === "server" && !this.http.endReceived;
  }

  #startNextCycle(): void {
    this.http.startNextCycle();
    this.incoming = undefined;
    this.#side.onNextCycle();
  }

  #dispatch(event: Event): void {
    switch (event.type) {
      case "request":
      case "response":
      case "informational-response":
        this.#side.onHead(event);
        if (!this.http.persists) this.#noteLastCycle();
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

  #noteLastCycle(): void {
    this.ending.reason ??= { kind: "not-persistent", because: LAST_CYCLE };
  }

  // A server that has said its last word is done, whatever the client still sends; a client waits
  // for the answer, too.
  #lastWordIsSaid(): boolean {
    if (this.http.ourState !== "must-close") return false;
    const { role, theirState } = this.http;
    return role === "server" || theirState === "must-close" || theirState === "closed";
  }

  #whyItEnds(): CloseReason {
    if (this.isClosing) return CLOSED;
    if (this.ending.reason !== undefined) return this.ending.reason;
    if (this.http.theirState === "closed") {
      return { kind: "peer-ended", because: "the peer ended its side between messages" };
    }
    return { kind: "not-persistent", because: LAST_CYCLE };
  }

  /** HTTP ends well. `promised`: somebody has been promised the io. */
  finish(reason: CloseReason, promised = false): void {
    this.life.finish(reason, promised);
  }

  /** HTTP ends badly. The peer sees a failure, unless the role had an answer to say. */
  fail(error: UpgradeError): void {
    this.life.fail(error);
  }

  /** The body in hand will not be completed. */
  failBody(why: () => UpgradeError): void {
    if (this.incoming?.isComplete === false) this.incoming.fail(why());
    this.#endDraining("closed");
  }

  // As far ahead as shows that the peer is gone, and not a byte that may be the next protocol's.
  #regulate(): void {
    if (this.life.phase !== "http") return;
    const { theirState, endReceived } = this.http;
    const notOurs = theirState === "might-switch-protocol" || theirState === "switched-protocol";
    const ahead = this.#wait === "paused" && this.http.bufferedBytes >= this.limits.readAheadBytes;
    const reading = !endReceived && !notOurs && !ahead && !this.#bodyIsFull();
    if (reading) this.transport.resume();
    else this.transport.pause();
    this.#awaiting.update(reading, this.#side.isIdle, this.requests);
  }

  #bodyIsFull(): boolean {
    const { incoming } = this;
    if (incoming === undefined) return false;
    if (incoming.isGivenUp) return true;
    // Nothing more can come, and what has come may be cut: that is told now, not to a later reader.
    if (this.http.endReceived) return false;
    // Of a body that nothing waits of, one piece is read, or it would never go on.
    return incoming.queuedBytes >= Math.max(1, this.limits.readAheadBytes);
  }

  deadlinePassed(name: DeadlineName): void {
    switch (name) {
      case "write":
        if (this.writing.isStalled()) this.#failLate(name);
        break;
      case "close":
        if (!this.ending.isPolled && this.#isUnread()) this.finish(CLOSED);
        else this.#failLate(name);
        break;
      case "head":
      case "body":
      case "answer":
        this.#failLate(name);
        break;
      case "idle":
        this.finish({ kind: "idle", because: "nothing came within the idle deadline" });
        break;
      case "linger":
        this.life.giveUp(new ConnectionError("ABORTED", "lingerMs"));
        break;
      case "drain":
        this.#drained(new ConnectionError("DRAIN_TIMEOUT", "", { phase: "drain" }));
        break;
      case "claim":
        this.life.disown();
        break;
      case "age":
        this.retire("maxAgeMs");
        break;
      default:
        this.#side.onDeadline(name);
    }
  }

  #failLate(name: keyof typeof TIMEOUTS): void {
    this.fail(new ConnectionError(TIMEOUTS[name], "", { phase: name }));
  }

  /** The exchange in hand is the last; without one, HTTP ends now. */
  retire(because: string): void {
    this.ending.reason ??= { kind: "not-persistent", because };
    this.http.endPersistence();
    if (this.#side.isIdle && !this.http.headHasBegun) this.finish(this.#whyItEnds());
  }

  bodyWanted(): void {
    this.#side.onBodyWanted();
    this.advance();
  }

  bodyTaken(): void {
    if (!this.#bodyIsFull()) this.advance();
  }

  discardBody(): Promise<BodyDisposal> {
    const { incoming } = this;
    const draining = this.drain();
    if (draining !== undefined) return draining.done;
    return Promise.resolve(incoming?.isComplete === true ? "drained" : "closed");
  }

  /** Reads the rest of the peer's body and throws it away, within the limits, if there is any. */
  drain(): Draining | undefined {
    if (this.#draining !== undefined) return this.#draining;
    const { incoming } = this;
    if (incoming === undefined || incoming.isComplete || !this.isLive) return undefined;
    incoming.discard();
    const draining = new Draining(this.limits, this.deadlines);
    this.#draining = draining;
    this.advance();
    return draining;
  }

  /** All that is left of the exchange is a body that has no reader. */
  #isUnread(): boolean {
    const { http, incoming } = this;
    const isSent = http.ourState === "done" || http.ourState === "must-close";
    return isSent && incoming?.isComplete === false && !incoming.isRead;
  }

  /**
   * Closing does not wait for a reader that may never come. An io that will be given back is given
   * back between two messages, so there the rest is read first.
   */
  discardUnread(): void {
    if (!this.isClosing || !this.#isUnread()) return;
    if (this.ending.isPolled) this.drain();
    else this.finish(CLOSED);
  }

  #drained(error: ConnectionError | undefined): void {
    if (error === undefined) return;
    this.incoming!.isGivenUp = true;
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
      this.retire(CLOSED.because);
      this.discardUnread();
    } else if (!this.ending.isOver || this.life.phase === "lingering") {
      this.deadlines.startEarlier("close", timeoutMs);
    }
    return this.ending.closed;
  }
}
