// driver ← [deadlines] ← clock: many deadlines, one timer per connection

import { LocalProtocolError } from "../base/errors.ts";
import type { Clock } from "./clock.ts";

// The platform fires longer timers at once. Ours fires early instead and is set again.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

const NAMES = [
  "head",
  "idle",
  "body",
  "write",
  "continue",
  "answer",
  "drain",
  "upload",
  "linger",
  "claim",
  "close",
  "age",
] as const;

/** What a connection may be waiting for. */
export type DeadlineName = (typeof NAMES)[number];

/** The owner of the deadlines. */
export interface DeadlineOwner {
  deadlinePassed(name: DeadlineName): void;
  /** The clock threw, so deadlines are no longer reliable. Called once. */
  clockFailed(error: LocalProtocolError): void;
}

/** When a deadline passes. A stopped one is kept without a name, to be started again. */
interface Deadline {
  name: DeadlineName | undefined;
  at: number;
  readonly next: Deadline | undefined;
}

/**
 * The deadlines of one connection. Moving one costs a comparison: the timer is set again only if it
 * would fire too late; if it fires too early, it is set for the next deadline.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #owner: DeadlineOwner;
  // Few run at once, one on an idle connection: a list is smaller than a table, and as fast.
  #first: Deadline | undefined;
  #timer: unknown;
  // Undefined if no timer is set.
  #firesAt: number | undefined;
  #hasFailed = false;

  constructor(clock: Clock, owner: DeadlineOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Starts or restarts a deadline. 0 ms means no deadline. */
  start(name: DeadlineName, ms: number): void {
    const now = ms === 0 ? undefined : this.#now();
    if (now !== undefined) this.#startAt(name, now + ms);
  }

  #startAt(name: DeadlineName, at: number): void {
    const deadline = this.#named(name) ?? this.#named(undefined);
    if (deadline === undefined) this.#first = { name, at, next: this.#first };
    else {
      deadline.name = name;
      deadline.at = at;
    }
    if (this.#firesAt === undefined || at < this.#firesAt) this.#set(at);
  }

  // The one that is running, or, without a name, one that was stopped.
  #named(name: DeadlineName | undefined): Deadline | undefined {
    let one = this.#first;
    while (one !== undefined && one.name !== name) one = one.next;
    return one;
  }

  /** Postpones a running deadline by `byMs`, to at most `mostMs` from now. */
  extend(name: DeadlineName, byMs: number, mostMs: number): void {
    const running = this.#named(name);
    const now = running && this.#now();
    if (now !== undefined) running!.at = Math.min(running!.at + byMs, now + mostMs);
  }

  /** Milliseconds until the deadline passes; `Infinity` if it is not running. */
  left(name: DeadlineName): number {
    const running = this.#named(name);
    const now = running && this.#now();
    return now === undefined ? Infinity : running!.at - now;
  }

  /** Starts a deadline or moves it earlier, never later. 0 ms means no deadline. */
  startEarlier(name: DeadlineName, ms: number): void {
    if (ms !== 0 && ms < this.left(name)) this.start(name, ms);
  }

  stop(name: DeadlineName): void {
    const running = this.#named(name);
    if (running !== undefined) running.name = undefined;
  }

  has(name: DeadlineName): boolean {
    return this.#named(name) !== undefined;
  }

  stopAll(): void {
    this.#first = undefined;
    if (this.#firesAt === undefined) return;
    this.#firesAt = undefined;
    try {
      this.#clock.clearTimer(this.#timer);
    } catch {
      // If the timer still fires, no deadline has passed.
    }
  }

  /** Stops all deadlines but these. */
  keepOnly(...names: readonly DeadlineName[]): void {
    for (let one = this.#first; one !== undefined; one = one.next) {
      if (one.name !== undefined && !names.includes(one.name)) one.name = undefined;
    }
  }

  #set(at: number): void {
    try {
      if (this.#firesAt !== undefined) this.#clock.clearTimer(this.#timer);
      this.#firesAt = at;
      // Rounded up: a timer that fires a fraction early would only be set again.
      const ms = Math.min(Math.ceil(at - this.#clock.now()), LONGEST_TIMER_MS);
      this.#timer = this.#clock.setTimer(ms, this.#fire.bind(this));
    } catch (cause) {
      this.#firesAt = undefined;
      this.#fail(cause);
    }
  }

  /** Undefined if the clock throws: no deadline starts, and none has passed. */
  #now(): number | undefined {
    try {
      return this.#clock.now();
    } catch (cause) {
      this.#fail(cause);
      return undefined;
    }
  }

  // In a microtask, since the caller is in the middle of something.
  #fail(cause: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const error = new LocalProtocolError("CALLBACK_FAILED", "the clock", { cause });
    void Promise.resolve().then(() => this.#owner.clockFailed(error));
  }

  #fire(): void {
    this.#firesAt = undefined;
    const now = this.#now();
    if (now === undefined) return;
    // Several may have passed if the process was suspended.
    const passed = NAMES.map((name) => ({ name, at: this.#named(name)?.at ?? Infinity }))
      .filter(({ at }) => at <= now)
      .sort((a, b) => a.at - b.at);
    for (const { name } of passed) {
      // An earlier one may have stopped or restarted this one.
      const running = this.#named(name);
      if (running === undefined || running.at > now) continue;
      running.name = undefined;
      this.#owner.deadlinePassed(name);
    }
    const next = Math.min(...NAMES.map((name) => this.#named(name)?.at ?? Infinity));
    if (next < (this.#firesAt ?? Infinity)) this.#set(next);
  }
}
