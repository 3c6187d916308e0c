// bytes ↔ transport ↔ [driver] ↔ connection ↔ application: the only layer that waits; both roles

import { ConnectionError, LocalProtocolError, type UpgradeError } from "../base/errors.ts";
import { type LimitOptions, type Limits, resolveLimits } from "../base/limits.ts";
import { CLOCK, FUNCTION, type Kinds } from "../base/options.ts";
import type { Role } from "../base/role.ts";
import { HttpConnection } from "../http-connection.ts";
import { Lifecycle, type OnTransition } from "../lifecycle/lifecycle.ts";
import type { Cause } from "../lifecycle/moves.ts";
import type { EventToSend, RequestToSend, ResponseToSend } from "../message/events.ts";
import type { Switched } from "../message/switched.ts";
import { adopt } from "../transports/adopt.ts";
import { transportFailed } from "../transports/causes.ts";
import type { Transport, TransportEvents } from "../transports/transport.ts";
import { type Clock, systemClock } from "./clock.ts";
import { type DeadlineName, type DeadlineOwner, Deadlines } from "./deadlines.ts";
import { PERFORM } from "./effects.ts";
import { type CloseReason, Ending } from "./ending.ts";
import { Reading } from "./reading.ts";
import type { Side } from "./side.ts";
import { Writing } from "./writing.ts";

const CLOSED = { kind: "closed", because: "close() was called" } as const;
const IDLE = { kind: "idle", because: "nothing arrived before the idle deadline" } as const;
const PEER_ENDED = {
  kind: "peer-ended",
  because: "the peer ended its side between messages",
} as const;
const PEER_END = { type: "peer-ended" } as const;
const CLOSING = { type: "closing" } as const;
const LAST_CYCLE = {
  kind: "not-persistent",
  because: "one side does not keep the connection alive",
} as const;

/** Deadlines that end the connection when they pass. */
const TIMEOUTS = {
  head: "HEAD_TIMEOUT",
  body: "BODY_TIMEOUT",
  write: "WRITE_TIMEOUT",
  answer: "ANSWER_TIMEOUT",
  close: "CLOSE_TIMEOUT",
} as const;

/** Options of every driver. */
export interface DriverOptions extends LimitOptions {
  /** Default: the platform's. */
  readonly clock?: Clock | undefined;
  /** Called when {@link Connection.phase} changes. If it throws, the connection fails. */
  readonly onTransition?: OnTransition | undefined;
}

/** The options of a role other than the limits. */
export type DriverKinds<Options extends DriverOptions> = Kinds<Omit<Options, keyof LimitOptions>>;

export const DRIVER_OPTIONS: DriverKinds<DriverOptions> = { clock: CLOCK, onTransition: FUNCTION };

/** Drives one connection over one transport, from the handshake to the end of HTTP. */
export class Driver implements TransportEvents, DeadlineOwner {
  readonly http: HttpConnection;
  readonly limits: Limits;
  readonly life: Lifecycle;
  readonly ending = new Ending();
  readonly deadlines: Deadlines;
  readonly transport: Transport;
  readonly reading: Reading;
  readonly writing: Writing;
  /** Requests started. */
  requests = 0;
  /** `close()` was called. */
  isClosing = false;
  /** What the connection switches to, once both heads are known. */
  switched: Switched | undefined;
  /** The response that refused the last proposal. */
  refusal: unknown;
  /**
   * Takes the parts as soon as possible, if they are promised to an exchange. It is an object: with
   * a function for each connection V8 kept dead connections until a full collection.
   */
  taker: { take(): void } | undefined;
  #side!: Side;
  #lingerLeft = 0;

  /** @throws {LocalProtocolError} `INVALID_IO`, `INVALID_OPTION`, `NO_WEBASSEMBLY`; the io is untouched. */
  constructor(role: Role, io: unknown, options: DriverOptions, kinds: DriverKinds<DriverOptions>) {
    this.limits = resolveLimits(options, role, kinds);
    this.http = new HttpConnection(role, this.limits);
    this.transport = adopt(io);
    this.life = new Lifecycle(this.#watched(options.onTransition));
    this.deadlines = new Deadlines(options.clock ?? systemClock, this);
    this.writing = new Writing(this);
    this.reading = new Reading(this);
  }

  // If the hook throws, the connection fails, not the transition that called it.
  #watched(hook: OnTransition | undefined): OnTransition | undefined {
    if (hook === undefined) return undefined;
    const fail = (cause: unknown): void =>
      this.fail(new LocalProtocolError("CALLBACK_FAILED", "onTransition", { cause }));
    return (...move) => {
      new Promise<void>((resolve) => resolve(hook(...move))).catch(fail);
    };
  }

  /** Starts reading, and listening for failures of the io. */
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
    // A finished cycle that has not advanced was held back.
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

  /** Sends an event to the peer, in one write with everything else sent in this turn. */
  send(event: EventToSend): void {
    this.http.sendTo(this.writing.outbox, event);
    this.writing.schedule();
  }

  /** Like {@link send}, for a head, its body, and the end. */
  sendWhole(head: RequestToSend | ResponseToSend, body: Uint8Array | string | undefined): void {
    this.http.sendWholeTo(this.writing.outbox, head, body);
    this.writing.schedule();
  }

  /** Reads on as far as the state allows. Call it after anything that may have changed the state. */
  advance(): void {
    this.reading.advance();
  }

  /** Reports whether more may be read; if not, carries out the switch or the end. */
  mayContinue(): boolean {
    if (this.life.phase !== "http") return false;
    if (this.http.hasSwitched) {
      this.#move("switched", LAST_CYCLE);
      this.#awaitQuiet();
      return false;
    }
    if (!this.#isDone()) return true;
    this.finish(this.#whyItEnds());
    return false;
  }

  // A server is done after its last response, whatever the client still sends; a client also waits
  // for the response.
  #isDone(): boolean {
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

  /** Makes the current exchange the last; if there is none, HTTP ends now. */
  retire(because: string): void {
    this.ending.reason ??= { kind: "not-persistent", because };
    this.http.endPersistence();
    if (this.#side.isIdle && !this.http.headHasBegun) this.finish(this.#whyItEnds());
  }

  /**
   * Ends HTTP cleanly. The io is shut down unless a caller polls for the end without shutdown, or
   * the io is promised to a {@link taker}.
   *
   * An idle peer may leave our read pending forever. If the read cannot be withdrawn, only a
   * promised io is still waited for; any other is shut down, since it cannot be left open.
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

  /** Ends HTTP with a failure, which the peer sees unless the role sends an error response. */
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

  /** The proposal was refused; HTTP continues. */
  refused(response: { readonly status: number }): void {
    this.refusal = response;
    this.ending.refused(response.status);
  }

  /** See `Connection.abort`. */
  abort(reason: unknown): void {
    this.fail(new ConnectionError("ABORTED", "", { cause: reason }), "aborted");
  }

  /** Releases the io as it is. The caller has claimed it. */
  release(owner: string): void {
    this.#move("taken", { kind: "taken-apart", because: `by ${owner}` });
  }

  #move(cause: Cause, reason: CloseReason): void {
    const effects = this.life.move(cause);
    if (effects === undefined) return;
    for (const effect of effects) PERFORM[effect](this, reason);
  }

  // A switch, and an end without shutdown, wait until our last byte is accepted (L3) and until no
  // read of ours can take bytes that belong to the next owner (L17).
  #awaitQuiet(): void {
    if (!this.transport.pause() || this.transport.isReading || !this.writing.isFlushed) return;
    const reason: CloseReason =
      this.life.phase === "switching"
        ? { kind: "switched", protocol: this.switched!.protocol }
        : this.ending.reason!;
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
    if (this.http.endReceived) this.transport.destroy();
    else this.transport.resume();
    this.#awaitEnd();
  }

  // The linger deadline starts after our last byte is accepted; until then the write deadline runs.
  #awaitEnd(): void {
    if (this.hasUnsent || this.deadlines.has("linger") || this.life.phase !== "lingering") return;
    this.deadlines.start("linger", this.limits.lingerMs);
  }

  // What a client has not sent by then is an upload that was already answered.
  get hasUnsent(): boolean {
    return this.http.role === "server" && !this.writing.isFlushed;
  }

  // Counts and discards bytes after the end of HTTP.
  #discard(length: number): void {
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
        this.reading.drainTimedOut();
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
    // Unclaimed parts without a working deadline are given up.
    if (this.life.phase !== "kept-open") this.fail(error);
    else if (this.http.hasSwitched) this.#move("unclaimed", { kind: "failed", error });
  }

  #failLate(name: keyof typeof TIMEOUTS): void {
    this.fail(new ConnectionError(TIMEOUTS[name], "", { phase: name }));
  }

  /**
   * Closing does not wait for a reader that may never come. An io that is to be handed over must
   * stand between two messages, so the rest of the body is drained first.
   */
  discardUnread(): void {
    if (!this.isClosing || !this.reading.isUnread) return;
    if (this.ending.isPolled) this.reading.drain();
    else this.finish(CLOSED);
  }

  /** See `Connection.close`. */
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
