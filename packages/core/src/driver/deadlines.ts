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

// A switch rather than a search: for a constant name the compiler can resolve the index.
function indexOf(name: DeadlineName): number {
  switch (name) {
    case "head":
      return 0;
    case "idle":
      return 1;
    case "body":
      return 2;
    case "write":
      return 3;
    case "continue":
      return 4;
    case "answer":
      return 5;
    case "drain":
      return 6;
    case "upload":
      return 7;
    case "linger":
      return 8;
    case "claim":
      return 9;
    case "close":
      return 10;
    case "age":
      return 11;
  }
}

/** The owner of the deadlines. */
export interface DeadlineOwner {
  deadlinePassed(name: DeadlineName): void;
  /** The clock threw, so deadlines are no longer reliable. Called once. */
  clockFailed(error: LocalProtocolError): void;
}

const NEVER = Infinity;
const NONE: readonly number[] = NAMES.map(() => NEVER);

/**
 * The deadlines of one connection. Moving one costs a comparison: the timer is set again only if it
 * would fire too late; if it fires too early, it is set for the next deadline.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #owner: DeadlineOwner;
  // When each passes, in the order of NAMES.
  readonly #at = NONE.slice();
  #timer: unknown;
  #firesAt = NEVER;
  #hasFailed = false;

  constructor(clock: Clock, owner: DeadlineOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Starts or restarts a deadline. 0 ms means no deadline. */
  start(name: DeadlineName, ms: number): void {
    if (ms === 0) return;
    const at = this.#now() + ms;
    this.#at[indexOf(name)] = at;
    if (at < this.#firesAt) this.#set(at);
  }

  /** Postpones a running deadline by `byMs`, to at most `mostMs` from now. */
  extend(name: DeadlineName, byMs: number, mostMs: number): void {
    const index = indexOf(name);
    const at = this.#at[index]!;
    if (at !== NEVER) this.#at[index] = Math.min(at + byMs, this.#now() + mostMs);
  }

  /** Milliseconds until the deadline passes; `Infinity` if it is not running. */
  left(name: DeadlineName): number {
    return this.#at[indexOf(name)]! - this.#now();
  }

  /** Starts a deadline or moves it earlier, never later. */
  startEarlier(name: DeadlineName, ms: number): void {
    if (this.#now() + ms < this.#at[indexOf(name)]!) this.start(name, ms);
  }

  stop(name: DeadlineName): void {
    this.#at[indexOf(name)] = NEVER;
  }

  has(name: DeadlineName): boolean {
    return this.#at[indexOf(name)] !== NEVER;
  }

  stopAll(): void {
    this.#at.fill(NEVER);
    if (this.#firesAt === NEVER) return;
    this.#firesAt = NEVER;
    try {
      this.#clock.clearTimer(this.#timer);
    } catch {
      // If the timer still fires, no deadline has passed.
    }
  }

  /** Stops all deadlines but these. */
  keepOnly(...names: readonly DeadlineName[]): void {
    for (const name of NAMES) if (!names.includes(name)) this.stop(name);
  }

  #set(at: number): void {
    try {
      if (this.#firesAt !== NEVER) this.#clock.clearTimer(this.#timer);
      this.#firesAt = at;
      // Rounded up: a timer that fires a fraction early would only be set again.
      const ms = Math.min(Math.ceil(at - this.#clock.now()), LONGEST_TIMER_MS);
      this.#timer = this.#clock.setTimer(ms, this.#fire);
    } catch (cause) {
      this.#firesAt = NEVER;
      this.#fail(cause);
    }
  }

  /** NEVER if the clock throws: no deadline starts, and none has passed. */
  #now(): number {
    try {
      return this.#clock.now();
    } catch (cause) {
      this.#fail(cause);
      return NEVER;
    }
  }

  // In a microtask, since the caller is in the middle of something.
  #fail(cause: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const error = new LocalProtocolError("CALLBACK_FAILED", "the clock", { cause });
    void Promise.resolve().then(() => this.#owner.clockFailed(error));
  }

  readonly #fire = (): void => {
    this.#firesAt = NEVER;
    const now = this.#now();
    if (now === NEVER) return;
    const at = (name: DeadlineName): number => this.#at[indexOf(name)]!;
    // Several may have passed if the process was suspended.
    const passed = NAMES.filter((name) => at(name) <= now).sort((a, b) => at(a) - at(b));
    for (const name of passed) {
      // An earlier one may have stopped or restarted this one.
      if (at(name) > now) continue;
      this.stop(name);
      this.#owner.deadlinePassed(name);
    }
    const next = Math.min(...this.#at);
    if (next < this.#firesAt) this.#set(next);
  };
}
