// bytes ↔ transport ↔ [driver] ↔ connection ↔ application: the only place that waits; both roles

import { HttpConnection } from "../connection.ts";
import { ConnectionError, LocalProtocolError, type UpgradeError } from "../errors.ts";
import type { EventToSend, RequestToSend, ResponseToSend } from "../events.ts";
import { Lifecycle, type OnTransition } from "../lifecycle/lifecycle.ts";
import type { Cause } from "../lifecycle/moves.ts";
import { type LimitOptions, type Limits, resolveLimits } from "../limits.ts";
import { CLOCK, FUNCTION, type Kinds } from "../options.ts";
import type { Role } from "../role.ts";
import { adopt } from "./adopt.ts";
import { transportFailed } from "./causes.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type DeadlineName, Deadlines, type Hurried } from "./deadlines.ts";
import { PERFORM } from "./effects.ts";
import { type CloseReason, Ending } from "./ending.ts";
import type { Switched } from "./parts.ts";
import { Reading } from "./reading.ts";
import type { Side } from "./side.ts";
import type { Transport, TransportEvents } from "./transport.ts";
import { Writing } from "./writing.ts";

const CLOSED = { kind: "closed", because: "close() was called" } as const;
const IDLE = { kind: "idle", because: "nothing came within the idle deadline" } as const;
const PEER_ENDED = {
  kind: "peer-ended",
  because: "the peer ended its side between messages",
} as const;
const PEER_END = { type: "peer-ended" } as const;
const CLOSING = { type: "closing" } as const;
const LAST_CYCLE = {
  kind: "not-persistent",
  because: "one end does not let the connection live on",
} as const;

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
  /** Is called at each move of {@link Connection.phase}. What it throws fails the connection. */
  readonly onTransition?: OnTransition | undefined;
}

/** What a role may be told besides the limits. */
export type DriverKinds<Options extends DriverOptions> = Kinds<Omit<Options, keyof LimitOptions>>;

export const DRIVER_OPTIONS: DriverKinds<DriverOptions> = { clock: CLOCK, onTransition: FUNCTION };

/** Drives one connection over one transport, from the handshake to the end of HTTP. */
export class Driver implements TransportEvents, Hurried {
  readonly http: HttpConnection;
  readonly limits: Limits;
  readonly life: Lifecycle;
  readonly ending = new Ending();
  readonly deadlines: Deadlines;
  readonly transport: Transport;
  readonly reading: Reading;
  readonly writing: Writing;
  /** Requests begun. */
  requests = 0;
  /** `close()` was called. */
  isClosing = false;
  /** What the connection switches to, once both heads were seen. */
  switched: Switched | undefined;
  /** The response that refused the last proposal. */
  refusal: unknown;
  /** Takes the parts as soon as that is possible, if they are promised to somebody. */
  taker: (() => void) | undefined;
  #side!: Side;
  #lingerLeft = 0;

  /** @throws {LocalProtocolError} `INVALID_IO`, `INVALID_OPTION`, `NO_WEBASSEMBLY`: the io is untouched. */
  constructor(role: Role, io: unknown, options: DriverOptions, kinds: DriverKinds<DriverOptions>) {
    this.limits = resolveLimits(options, role, kinds);
    this.http = new HttpConnection(role, this.limits);
    this.transport = adopt(io);
    this.life = new Lifecycle(this.#watched(options.onTransition));
    this.deadlines = new Deadlines(options.clock ?? systemClock, this);
    this.writing = new Writing(this, this.transport, this.deadlines, this.limits);
    this.reading = new Reading(this);
  }

  // What it throws fails the connection, and not the move that it was called for.
  #watched(hook: OnTransition | undefined): OnTransition | undefined {
    if (hook === undefined) return undefined;
    const fail = (cause: unknown): void =>
      this.fail(new LocalProtocolError("CALLBACK_FAILED", "onTransition", { cause }));
    return (...move) => {
      new Promise<void>((resolve) => resolve(hook(...move))).catch(fail);
    };
  }

  /** From here on bytes are read, and a failure of the io has a listener. */
  start(side: Side): void {
    this.#side = side;
    this.deadlines.start("age", this.limits.maxAgeMs);
    this.transport.attach(this);
    this.reading.regulate();
  }

  get side(): Side {
    return this.#side;
  }

  opened(): void {
    this.writing.opened();
  }

  data(bytes: Uint8Array): void {
    if (this.life.phase === "lingering") {
      this.reading.bytesRead += bytes.length;
      this.#throwAway(bytes.length);
      return;
    }
    // What is said in answer to one chunk leaves in one write, without waiting for the turn's end.
    this.writing.hold();
    try {
      this.reading.data(bytes);
    } finally {
      this.writing.letGo(false);
    }
    // A read that was to be withdrawn has brought its bytes after all.
    this.withdrawn();
  }

  ended(): void {
    this.http.receiveEof();
    if (this.life.phase === "lingering") this.transport.destroy();
    this.advance();
    if (this.life.isLive) this.#side.receive(PEER_END);
    this.withdrawn();
  }

  accepted(): void {
    this.writing.accepted();
    // A cycle that is over and stays was held back.
    if (this.life.phase === "http" && this.http.cycleIsOver) this.advance();
    else this.withdrawn();
  }

  withdrawn(): void {
    if (this.life.awaitsQuiet) this.#awaitQuiet();
    else if (this.life.phase === "lingering") this.#awaitEnd();
  }

  gone(reason: unknown): void {
    this.fail(transportFailed(reason));
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
    this.reading.advance();
  }

  /** Whether more may be read. If that is over, what follows from it is done. */
  goesOn(): boolean {
    if (this.life.phase !== "http") return false;
    if (this.http.hasSwitched) {
      this.#move("switched", LAST_CYCLE);
      this.#awaitQuiet();
      return false;
    }
    if (!this.#lastWordIsSaid()) return true;
    this.finish(this.#whyItEnds());
    return false;
  }

  // A server that has said its last word is done, whatever the client still sends; a client waits
  // for the answer, too.
  #lastWordIsSaid(): boolean {
    if (this.http.ourState !== "must-close") return false;
    const { role, theirState } = this.http;
    return role === "server" || theirState === "must-close" || theirState === "closed";
  }

  noteLastCycle(): void {
    this.ending.reason ??= LAST_CYCLE;
  }

  #whyItEnds(): CloseReason {
    if (this.isClosing) return CLOSED;
    return this.ending.reason ?? (this.http.theirState === "closed" ? PEER_ENDED : LAST_CYCLE);
  }

  /** The exchange in hand is the last; without one, HTTP ends now. */
  retire(because: string): void {
    this.ending.reason ??= { kind: "not-persistent", because };
    this.http.endPersistence();
    if (this.#side.isIdle && !this.http.headHasBegun) this.finish(this.#whyItEnds());
  }

  /**
   * HTTP ends well. The io is shut down, unless somebody waits for the end without shutdown, or it
   * is promised to a {@link taker}.
   *
   * A peer that owes nothing may let our read wait for ever. If it cannot be withdrawn, only a
   * promised io is still waited for: any other cannot be left open, and is shut down.
   */
  finish(reason: CloseReason): void {
    if (this.life.phase !== "http") return;
    const promised = this.taker !== undefined;
    const { transport } = this;
    if (!promised && this.ending.isPolled && !transport.pause() && transport.isStuck === true) {
      this.ending.refuse(new LocalProtocolError("READ_PENDING"));
    }
    this.ending.reason = reason;
    this.#move("ended", reason);
    if (this.ending.isPolled || promised) this.#awaitQuiet();
    else this.#move("unwanted", reason);
  }

  /** HTTP ends badly. The peer sees a failure, unless the role had an answer to say. */
  fail(error: UpgradeError, cause: "failed" | "aborted" = "failed"): void {
    const { life, reading, writing } = this;
    const { isLive, phase } = life;
    const reason: CloseReason = { kind: "failed", error };
    if (isLive || phase === "finishing") {
      error.annotate({ bytesRead: reading.bytesRead, bytesWritten: writing.outbox.handed });
      this.ending.reason = reason;
    }
    const isAnswered = phase === "http" && this.#side.answer?.(error) === true;
    this.#move(isAnswered ? "answered" : cause, reason);
  }

  /** The proposal was refused; HTTP goes on. */
  refused(response: { readonly status: number }): void {
    this.refusal = response;
    this.ending.refused(response.status);
  }

  /** As `Connection.abort`. */
  abort(reason: unknown): void {
    this.fail(new ConnectionError("ABORTED", "", { cause: reason }), "aborted");
  }

  /** Lets go of the io, as it is. Callers have claimed it. */
  release(owner: string): void {
    this.#move("taken", { kind: "taken-apart", because: `by ${owner}` });
  }

  #move(cause: Cause, reason: CloseReason): void {
    const effects = this.life.move(cause);
    if (effects === undefined) return;
    for (const effect of effects) PERFORM[effect](this, reason);
  }

  // A switch, and an end without shutdown, wait until our last byte is accepted (L3), and until no
  // read of ours may bring what belongs to the next owner (L17).
  #awaitQuiet(): void {
    if (!this.transport.pause() || this.transport.isReading || !this.writing.isFlushed) return;
    const reason: CloseReason =
      this.life.phase === "switching"
        ? { kind: "switched", protocol: this.switched!.protocol }
        : this.ending.reason!;
    this.#move("quiet", reason);
  }

  /**
   * Our side of the io ends after our last byte, and the peer's end is awaited: closing with unread
   * bytes makes TCP reset, and a reset destroys our last words (RFC 9112 §9.6).
   */
  halfClose(): void {
    this.#lingerLeft = this.limits.lingerBytes;
    this.writing.flush();
    this.transport.closeWrite();
    if (this.http.endReceived) this.transport.destroy();
    else this.transport.resume();
    this.#awaitEnd();
  }

  // A slow reader has the time that any write has; the peer's end is awaited behind our last byte.
  #awaitEnd(): void {
    if (this.owesWords || this.deadlines.has("linger") || this.life.phase !== "lingering") return;
    this.deadlines.start("linger", this.limits.lingerMs);
  }

  // What a client has not said by then is an upload that was answered: nobody waits for it.
  get owesWords(): boolean {
    return this.http.role === "server" && !this.writing.isFlushed;
  }

  // Bytes behind the end of HTTP: thrown away, and counted.
  #throwAway(length: number): void {
    this.#lingerLeft -= length;
    if (this.#lingerLeft < 0) this.fail(new ConnectionError("ABORTED", "lingerBytes"));
  }

  deadlinePassed(name: DeadlineName): void {
    switch (name) {
      case "write":
        if (this.writing.isStalled()) this.#failLate(name);
        break;
      case "close":
        if (!this.ending.isPolled && this.reading.isUnread) this.finish(CLOSED);
        else this.#failLate(name);
        break;
      case "head":
      case "body":
      case "answer":
        this.#failLate(name);
        break;
      case "idle":
        this.finish(IDLE);
        break;
      case "linger":
        this.fail(new ConnectionError("ABORTED", "lingerMs"));
        break;
      case "drain":
        this.reading.drainedTooLong();
        break;
      case "claim":
        this.#move("unclaimed", {
          kind: "failed",
          error: new ConnectionError("SWITCH_UNCLAIMED"),
        });
        break;
      case "age":
        this.retire("maxAgeMs");
        break;
      default:
        this.#side.receive({ type: "deadline", name });
    }
  }

  clockFailed(error: LocalProtocolError): void {
    // Parts that have no deadline any more are given up.
    if (this.life.phase !== "kept-open") this.fail(error);
    else if (this.http.hasSwitched) this.#move("unclaimed", { kind: "failed", error });
  }

  #failLate(name: keyof typeof TIMEOUTS): void {
    this.fail(new ConnectionError(TIMEOUTS[name], "", { phase: name }));
  }

  /**
   * Closing does not wait for a reader that may never come. An io that will be given back is given
   * back between two messages, so there the rest is read first.
   */
  discardUnread(): void {
    if (!this.isClosing || !this.reading.isUnread) return;
    if (this.ending.isPolled) this.reading.drain();
    else this.finish(CLOSED);
  }

  /** As `Connection.close`. */
  close(timeoutMs: number): Promise<CloseReason> {
    if (this.life.phase === "http" && !this.http.hasSwitched) {
      this.isClosing = true;
      this.deadlines.startEarlier("close", timeoutMs);
      this.#side.receive(CLOSING);
      this.retire(CLOSED.because);
      this.discardUnread();
    } else if (!this.ending.isOver || this.life.phase === "lingering") {
      this.deadlines.startEarlier("close", timeoutMs);
    }
    return this.ending.closed;
  }
}
