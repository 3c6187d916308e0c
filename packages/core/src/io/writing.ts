// transport ← [writing] ← serializer: one write a turn, back-pressure, and the progress of both

import { LocalProtocolError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import type { Deadlines } from "./deadlines.ts";
import { Deferred } from "./deferred.ts";
import { Outbox } from "./outbox.ts";
import type { Transport } from "./transport.ts";
import { atEndOfTurn, type Turning } from "./turn.ts";

/** What the writing half needs of its driver. */
interface WritingHost {
  fail(error: LocalProtocolError): void;
}

/** The writing half of a driver. */
export class Writing implements Turning {
  readonly outbox = new Outbox();
  readonly #host: WritingHost;
  readonly #transport: Transport;
  readonly #deadlines: Deadlines;
  readonly #limits: Limits;
  #scheduled = false;
  #held = false;
  #awaitsMore = false;
  #stopped = false;
  #waiters: Deferred<void>[] | undefined;
  // How much the transport had accepted at the last look.
  #accepted = 0;
  // How long it may keep the next write: less than at first, if a body was held up before it.
  #patienceMs: number;

  constructor(host: WritingHost, transport: Transport, deadlines: Deadlines, limits: Limits) {
    this.#host = host;
    this.#transport = transport;
    this.#deadlines = deadlines;
    this.#limits = limits;
    this.#patienceMs = limits.writeProgressMs;
  }

  /** Nothing of ours is on its way to the transport. */
  get isFlushed(): boolean {
    return this.outbox.queued === 0 && this.#transport.unacceptedBytes === 0;
  }

  /** The transport is not open, or has as much as it should have before more is made. */
  get isPressed(): boolean {
    if (!this.#transport.isOpen) return true;
    const waiting = this.outbox.queued + this.#transport.unacceptedBytes;
    return waiting > 0 && waiting >= this.#limits.writeHighWaterBytes;
  }

  /** Everything said in this turn will leave at its end. */
  schedule(): void {
    if (this.#scheduled || this.#held) return;
    this.#scheduled = true;
    atEndOfTurn(this);
  }

  /** What is said from here on waits for {@link letGo}. False: it does already. */
  hold(): boolean {
    if (this.#held) return false;
    this.#held = true;
    return true;
  }

  /**
   * Everything said since {@link hold} leaves, in one write: now, which is sooner and cheaper than at
   * the end of the turn, or then, if more `mayFollow` in this turn or is on its way.
   */
  letGo(mayFollow: boolean): void {
    this.#held = false;
    // What comes in microtasks is behind the end of a turn that has not come to any yet.
    if (this.#awaitsMore) Promise.resolve().then(() => this.schedule());
    else if (!mayFollow) this.flush();
    else if (this.outbox.queued > 0) this.schedule();
    this.#awaitsMore = false;
  }

  /** More will be said in this turn, or be known to fail: what was said leaves with it, or stays. */
  awaitMore(): void {
    this.#awaitsMore = this.#held;
  }

  endTurn(): void {
    this.#scheduled = false;
    this.flush();
  }

  /** Hands everything said to the transport, in one write. */
  flush(): void {
    if (this.outbox.queued === 0 || this.#stopped) return;
    const { isOpen } = this.#transport;
    if (isOpen && !this.outbox.isIntact) {
      this.#host.fail(new LocalProtocolError("BODY_CHANGED"));
      return;
    }
    if (isOpen) this.#transport.write(this.outbox.take());
    const waits = !isOpen || this.#transport.unacceptedBytes > 0;
    if (waits && !this.#deadlines.has("write")) this.#deadlines.start("write", this.#patienceMs);
  }

  /** The transport is open: what was sent before leaves now, with a deadline of its own. */
  opened(): void {
    this.#deadlines.stop("write");
    this.flush();
    if (!this.isPressed) this.#tellWaiters();
  }

  /** The transport accepted some of what it has. */
  accepted(): void {
    const { unacceptedBytes } = this.#transport;
    const earnedMs = this.#earnedMs(this.outbox.handed - unacceptedBytes);
    this.#deadlines.extend("write", earnedMs, this.#limits.writeProgressMs);
    if (unacceptedBytes === 0) this.#rest();
    if (!this.isPressed) this.#tellWaiters();
  }

  /** The deadline has passed. False: some of a long write has left meanwhile, and it goes on. */
  isStalled(): boolean {
    const earnedMs = this.#earnedMs(this.outbox.handed - this.#transport.unsentBytes);
    if (earnedMs === 0) return true;
    this.#deadlines.start("write", Math.min(earnedMs, this.#limits.writeProgressMs));
    return false;
  }

  // What was taken since the last look gives the rest as much more time as its least speed does.
  #earnedMs(accepted: number): number {
    const bytes = accepted - this.#accepted;
    if (bytes <= 0) return 0;
    this.#accepted = accepted;
    return (bytes * 1_000) / this.#limits.minBodyBytesPerSecond;
  }

  // A body that was held up goes on with the time that is left: one piece more is not a new deadline.
  #rest(): void {
    const wasHeldUp = this.#waiters !== undefined && this.#deadlines.has("write");
    const { writeProgressMs } = this.#limits;
    this.#patienceMs = wasHeldUp ? Math.max(this.#deadlines.left("write"), 1) : writeProgressMs;
    this.#deadlines.stop("write");
  }

  /** Resolves when more may be said, and when nothing ever will be. */
  writable(): Promise<void> {
    const waiter = new Deferred<void>();
    if (!this.isPressed || this.#stopped) waiter.resolve();
    else {
      this.#waiters ??= [];
      this.#waiters.push(waiter);
    }
    return waiter.promise;
  }

  /** Nothing more is written, and nobody waits for it. */
  stop(): void {
    this.#stopped = true;
    this.#tellWaiters();
  }

  #tellWaiters(): void {
    const waiters = this.#waiters;
    if (waiters === undefined) return;
    this.#waiters = undefined;
    for (const waiter of waiters) waiter.resolve();
  }
}
