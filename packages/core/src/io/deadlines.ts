// driver ← [deadlines] ← clock: many deadlines, one timer a connection

import { LocalProtocolError } from "../errors.ts";
import type { Clock } from "./clock.ts";

// A timer of the platform that is set for longer rings at once; ours then only looks and goes on.
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

// A switch, and not a search: where the name is known to the compiler, so is its place.
function placeOf(name: DeadlineName): number {
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

/** Whose deadlines they are. */
export interface Hurried {
  deadlinePassed(name: DeadlineName): void;
  /** The clock threw: no deadline can be relied on any more. Told once. */
  clockFailed(error: LocalProtocolError): void;
}

const NEVER = Infinity;
const NONE: readonly number[] = NAMES.map(() => NEVER);

/**
 * The deadlines of one connection. Moving one costs a comparison: the timer is set again only when
 * it would ring too late, and one that rings too early looks and goes back to sleep.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #whose: Hurried;
  // When each passes, in the order of the names.
  readonly #at = NONE.slice();
  #timer: unknown;
  #ringsAt = NEVER;
  #hasFailed = false;

  constructor(clock: Clock, whose: Hurried) {
    this.#clock = clock;
    this.#whose = whose;
  }

  /** Starts, or starts again. 0 ms means that there is no such deadline. */
  start(name: DeadlineName, ms: number): void {
    if (ms === 0) return;
    const at = this.#now() + ms;
    this.#at[placeOf(name)] = at;
    if (at < this.#ringsAt) this.#set(at);
  }

  /** Moves one that is running `byMs` later, to at most `mostMs` from now. */
  extend(name: DeadlineName, byMs: number, mostMs: number): void {
    const place = placeOf(name);
    const at = this.#at[place]!;
    if (at !== NEVER) this.#at[place] = Math.min(at + byMs, this.#now() + mostMs);
  }

  /** Milliseconds until it passes; `Infinity` if it is not running. */
  left(name: DeadlineName): number {
    return this.#at[placeOf(name)]! - this.#now();
  }

  /** Starts, or moves to an earlier time, never to a later one. */
  startEarlier(name: DeadlineName, ms: number): void {
    if (this.#now() + ms < this.#at[placeOf(name)]!) this.start(name, ms);
  }

  stop(name: DeadlineName): void {
    this.#at[placeOf(name)] = NEVER;
  }

  has(name: DeadlineName): boolean {
    return this.#at[placeOf(name)] !== NEVER;
  }

  stopAll(): void {
    this.#at.fill(NEVER);
    if (this.#ringsAt === NEVER) return;
    this.#ringsAt = NEVER;
    try {
      this.#clock.clearTimer(this.#timer);
    } catch {
      // If it rings all the same, no deadline has passed.
    }
  }

  /** Stops all others. */
  keepOnly(...names: readonly DeadlineName[]): void {
    for (const name of NAMES) if (!names.includes(name)) this.stop(name);
  }

  #set(at: number): void {
    try {
      if (this.#ringsAt !== NEVER) this.#clock.clearTimer(this.#timer);
      this.#ringsAt = at;
      // Rounded up: a timer that rings a fraction early would only be set again.
      const ms = Math.min(Math.ceil(at - this.#clock.now()), LONGEST_TIMER_MS);
      this.#timer = this.#clock.setTimer(ms, this.#ring);
    } catch (cause) {
      this.#ringsAt = NEVER;
      this.#fail(cause);
    }
  }

  /** NEVER if the clock throws: no deadline starts then, and none has passed. */
  #now(): number {
    try {
      return this.#clock.now();
    } catch (cause) {
      this.#fail(cause);
      return NEVER;
    }
  }

  // In a later turn: whoever moves a deadline is in the middle of something.
  #fail(cause: unknown): void {
    if (this.#hasFailed) return;
    this.#hasFailed = true;
    const error = new LocalProtocolError("CALLBACK_FAILED", "the clock", { cause });
    void Promise.resolve().then(() => this.#whose.clockFailed(error));
  }

  readonly #ring = (): void => {
    this.#ringsAt = NEVER;
    const now = this.#now();
    if (now === NEVER) return;
    const at = (name: DeadlineName): number => this.#at[placeOf(name)]!;
    // Where the process stood still, several have.
    const passed = NAMES.filter((name) => at(name) <= now).sort((a, b) => at(a) - at(b));
    for (const name of passed) {
      // What passed in front of it may have stopped it, or started it again.
      if (at(name) > now) continue;
      this.stop(name);
      this.#whose.deadlinePassed(name);
    }
    const next = Math.min(...this.#at);
    if (next < this.#ringsAt) this.#set(next);
  };
}
