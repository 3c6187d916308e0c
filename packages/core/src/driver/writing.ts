// transport ← [writing] ← serializer: one write per turn, back-pressure, and the write deadline

import { LocalProtocolError } from "../base/errors.ts";
import { Deferred } from "../transports/deferred.ts";
import type { Driver } from "./driver.ts";
import { Outbox } from "./outbox.ts";
import { atEndOfTurn } from "./turn.ts";

/** The writing half of a driver: an outbox that is emptied once a turn. */
export class Writing extends Outbox {
  readonly #driver: Driver;
  #scheduled = false;
  #corked = false;
  #awaitsMore = false;
  #stopped = false;
  #waiters: Deferred<void>[] | undefined;
  // How much the transport had accepted when last checked.
  #accepted = 0;
  // How long the next write may take: less than the full deadline while a body is held up.
  #patienceMs: number | undefined;

  constructor(driver: Driver) {
    super();
    this.#driver = driver;
  }

  /** The transport has accepted everything. */
  get isFlushed(): boolean {
    return this.queued === 0 && this.#driver.transport.unacceptedBytes === 0;
  }

  /** The transport is not open, or has reached the high-water mark. */
  get isBackedUp(): boolean {
    if (!this.#driver.transport.isOpen) return true;
    const waiting = this.queued + this.#driver.transport.unacceptedBytes;
    return waiting > 0 && waiting >= this.#driver.limits.writeHighWaterBytes;
  }

  /** Flushes at the end of this turn. */
  schedule(): void {
    if (this.#scheduled || this.#corked) return;
    this.#scheduled = true;
    atEndOfTurn(this);
  }

  /** Holds output back until {@link uncork}. Returns false if it is already held back. */
  cork(): boolean {
    if (this.#corked) return false;
    this.#corked = true;
    return true;
  }

  /**
   * Flushes everything sent since {@link cork} in one write: now, which is sooner and cheaper than at
   * the end of the turn, or at the end of the turn, if more `mayFollow` in it or is expected.
   */
  uncork(mayFollow: boolean): void {
    this.#corked = false;
    // The turn may end before the microtasks that send more, so schedule from a microtask.
    if (this.#awaitsMore) Promise.resolve().then(() => this.schedule());
    else if (!mayFollow) this.flush();
    else if (this.queued > 0) this.schedule();
    this.#awaitsMore = false;
  }

  /** More follows or fails in this turn: corked output leaves with it, or not at all. */
  awaitMore(): void {
    this.#awaitsMore = this.#corked;
  }

  endTurn(): void {
    this.#scheduled = false;
    this.flush();
  }

  /** Hands all queued output to the transport, in one write. */
  flush(): void {
    if (this.queued === 0 || this.#stopped) return;
    const { deadlines, limits, transport } = this.#driver;
    const { isOpen } = transport;
    if (isOpen && !this.isIntact) {
      this.#driver.fail(new LocalProtocolError("BODY_CHANGED"));
      return;
    }
    if (isOpen) transport.write(this.take());
    const waits = !isOpen || transport.unacceptedBytes > 0;
    if (waits && !deadlines.has("write")) {
      deadlines.start("write", this.#patienceMs ?? limits.writeProgressMs);
    }
  }

  /** The transport is open: queued output leaves now, with a fresh deadline. */
  opened(): void {
    this.#driver.deadlines.stop("write");
    this.flush();
    if (!this.isBackedUp) this.#wakeWaiters();
  }

  /** The transport accepted some bytes. */
  accepted(): void {
    const { deadlines, limits, transport } = this.#driver;
    const { unacceptedBytes } = transport;
    if (!deadlines.has("write")) {
      this.#accepted = this.handed - unacceptedBytes;
      this.#patienceMs = undefined;
    } else {
      const earnedMs = this.#earnedMs(this.handed - unacceptedBytes);
      deadlines.extend("write", earnedMs, limits.writeProgressMs);
      if (unacceptedBytes === 0) this.#allAccepted();
    }
    if (this.#waiters !== undefined && !this.isBackedUp) this.#wakeWaiters();
  }

  /** The deadline has passed. Returns false if a long write has progressed, and restarts it. */
  isStalled(): boolean {
    const earnedMs = this.#earnedMs(this.handed - this.#driver.transport.unsentBytes);
    if (earnedMs === 0) return true;
    this.#driver.deadlines.start("write", Math.min(earnedMs, this.#driver.limits.writeProgressMs));
    return false;
  }

  // The time earned by the bytes accepted since the last check, at the minimum rate.
  #earnedMs(accepted: number): number {
    const bytes = accepted - this.#accepted;
    if (bytes <= 0) return 0;
    this.#accepted = accepted;
    return (bytes * 1_000) / this.#driver.limits.minBodyBytesPerSecond;
  }

  // A body that was held up keeps its remaining time: one more piece does not earn a new deadline.
  #allAccepted(): void {
    const { deadlines } = this.#driver;
    const wasHeldUp = this.#waiters !== undefined;
    this.#patienceMs = wasHeldUp ? Math.max(deadlines.left("write"), 1) : undefined;
    deadlines.stop("write");
  }

  /** Resolves when more may be written, or when writing has stopped. */
  writable(): Promise<void> {
    const waiter = new Deferred<void>();
    if (!this.isBackedUp || this.#stopped) waiter.resolve();
    else {
      this.#waiters ??= [];
      this.#waiters.push(waiter);
    }
    return waiter.promise;
  }

  /** Stops writing and wakes every waiter. */
  stop(): void {
    this.#stopped = true;
    this.#wakeWaiters();
  }

  #wakeWaiters(): void {
    const waiters = this.#waiters;
    if (waiters === undefined) return;
    this.#waiters = undefined;
    for (const waiter of waiters) waiter.resolve();
  }
}
