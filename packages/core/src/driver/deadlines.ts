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

const NEVER = Infinity;

/** When a deadline passes. A stopped one is kept, to be started again under any name. */
interface Deadline {
  name: DeadlineName;
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
  #firesAt = NEVER;
  #hasFailed = false;

  constructor(clock: Clock, owner: DeadlineOwner) {
    this.#clock = clock;
    this.#owner = owner;
  }

  /** Starts or restarts a deadline. 0 ms means no deadline. */
  start(name: DeadlineName, ms: number): void {
    if (ms !== 0) this.#startAt(name, this.#now() + ms);
  }

  #startAt(name: DeadlineName, at: number): void {
    const deadline = this.#running(name) ?? this.#stopped();
    if (deadline === undefined) this.#first = { name, at, next: this.#first };
    else {
      deadline.name = name;
      deadline.at = at;
    }
    if (at < this.#firesAt) this.#set(at);
  }

  #running(name: DeadlineName): Deadline | undefined {
    let one = this.#first;
    while (one !== undefined && (one.name !== name || one.at === NEVER)) one = one.next;
    return one;
  }

  #stopped(): Deadline | undefined {
    let one = this.#first;
    while (one !== undefined && one.at !== NEVER) one = one.next;
    return one;
  }

  /** Postpones a running deadline by `byMs`, to at most `mostMs` from now. */
  extend(name: DeadlineName, byMs: number, mostMs: number): void {
    const running = this.#running(name);
    if (running !== undefined) running.at = Math.min(running.at + byMs, this.#now() + mostMs);
  }

  /** Milliseconds until the deadline passes; `Infinity` if it is not running. */
  left(name: DeadlineName): number {
    const running = this.#running(name);
    return running === undefined ? NEVER : running.at - this.#now();
  }

  /** Starts a deadline or moves it earlier, never later. 0 ms means no deadline. */
  startEarlier(name: DeadlineName, ms: number): void {
    if (ms === 0) return;
    const at = this.#now() + ms;
    if (at < (this.#running(name)?.at ?? NEVER)) this.#startAt(name, at);
  }

  stop(name: DeadlineName): void {
    const running = this.#running(name);
    if (running !== undefined) running.at = NEVER;
  }

  has(name: DeadlineName): boolean {
    return this.#running(name) !== undefined;
  }

  stopAll(): void {
    this.#first = undefined;
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
    for (const one of this.#all()) if (!names.includes(one.name)) one.at = NEVER;
  }

  #all(): Deadline[] {
    const all: Deadline[] = [];
    for (let one = this.#first; one !== undefined; one = one.next) all.push(one);
    return all;
  }

  #set(at: number): void {
    try {
      if (this.#firesAt !== NEVER) this.#clock.clearTimer(this.#timer);
      this.#firesAt = at;
      // Rounded up: a timer that fires a fraction early would only be set again.
      const ms = Math.min(Math.ceil(at - this.#clock.now()), LONGEST_TIMER_MS);
      this.#timer = this.#clock.setTimer(ms, this.#fire.bind(this));
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

  #fire(): void {
    this.#firesAt = NEVER;
    const now = this.#now();
    if (now === NEVER) return;
    // Several may have passed if the process was suspended.
    const passed = NAMES.map((name) => ({ name, at: this.#running(name)?.at ?? NEVER }))
      .filter(({ at }) => at <= now)
      .sort((a, b) => a.at - b.at);
    for (const { name } of passed) {
      // An earlier one may have stopped or restarted this one.
      const running = this.#running(name);
      if (running === undefined || running.at > now) continue;
      running.at = NEVER;
      this.#owner.deadlinePassed(name);
    }
    const next = Math.min(...this.#all().map(({ at }) => at));
    if (next < this.#firesAt) this.#set(next);
  }
}
