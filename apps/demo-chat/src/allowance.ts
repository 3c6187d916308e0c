// clock → [allowance] → member: how many messages a client may send

import type { Clock } from "@upgrade/core/io";

/** How many messages may come at once. */
export const BURST = 20;
/** And how many a second after that. */
export const PER_SECOND = 5;

/** A bucket that is full at first, and is filled at a constant rate. */
export class Allowance {
  readonly #clock: Clock;
  #left = BURST;
  #since: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#since = clock.now();
  }

  /** Takes one; false if there is none. */
  take(): boolean {
    const now = this.#clock.now();
    this.#left = Math.min(BURST, this.#left + ((now - this.#since) * PER_SECOND) / 1000);
    this.#since = now;
    if (this.#left < 1) return false;
    this.#left--;
    return true;
  }
}
