// driver ← [deadlines] ← clock: many deadlines, one timer a connection

import type { Clock } from "./clock.ts";

// A timer of the platform that is set for longer rings at once; ours then only looks and goes on.
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What a connection may be waiting for. */
export type DeadlineName =
  | "head"
  | "idle"
  | "body"
  | "write"
  | "continue"
  | "answer"
  | "drain"
  | "upload"
  | "linger"
  | "claim"
  | "close"
  | "age";

/**
 * The deadlines of one connection. Moving one costs a comparison: the timer is set again only when
 * it would ring too late, and one that rings too early looks and goes back to sleep.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #passed: (name: DeadlineName) => void;
  readonly #at = new Map<DeadlineName, number>();
  #timer: unknown;
  #ringsAt = Infinity;

  constructor(clock: Clock, passed: (name: DeadlineName) => void) {
    this.#clock = clock;
    this.#passed = passed;
  }

  /** Starts, or starts again. 0 ms means that there is no such deadline. */
  start(name: DeadlineName, ms: number): void {
    if (ms === 0) return;
    const at = this.#clock.now() + ms;
    this.#at.set(name, at);
    if (at < this.#ringsAt) this.#set(at);
  }

  /** Starts, or moves to an earlier time, never to a later one. */
  startEarlier(name: DeadlineName, ms: number): void {
    const before = this.#at.get(name) ?? Infinity;
    if (this.#clock.now() + ms < before) this.start(name, ms);
  }

  stop(name: DeadlineName): void {
    this.#at.delete(name);
  }

  has(name: DeadlineName): boolean {
    return this.#at.has(name);
  }

  stopAll(): void {
    this.#at.clear();
    if (this.#ringsAt !== Infinity) this.#clock.clearTimer(this.#timer);
    this.#ringsAt = Infinity;
  }

  /** Stops all others. */
  keepOnly(...names: readonly DeadlineName[]): void {
    for (const name of this.#at.keys()) if (!names.includes(name)) this.#at.delete(name);
  }

  #set(at: number): void {
    if (this.#ringsAt !== Infinity) this.#clock.clearTimer(this.#timer);
    this.#ringsAt = at;
    // Rounded up: a timer that rings a fraction early would only be set again.
    const ms = Math.min(Math.ceil(at - this.#clock.now()), LONGEST_TIMER_MS);
    this.#timer = this.#clock.setTimer(ms, this.#ring);
  }

  readonly #ring = (): void => {
    this.#ringsAt = Infinity;
    const now = this.#clock.now();
    let next = Infinity;
    for (const [name, at] of [...this.#at]) {
      if (at > now) next = Math.min(next, at);
      // What passed in front of it may have stopped it, or started it again.
      else if (this.#at.get(name) === at && this.#at.delete(name)) this.#passed(name);
    }
    if (next !== Infinity && this.#at.size > 0 && next < this.#ringsAt) this.#set(next);
  };
}
