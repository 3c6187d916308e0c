// open, serve → [timer] → clock: one deadline, however long it is, and whatever the clock does

import { LocalProtocolError } from "@upgrade/core";
import type { Clock } from "@upgrade/core/io";

// Node counts the milliseconds of a timer in 31 bits; a longer one would fire at once.
const LONGEST_MS = 2 ** 31 - 1;

/**
 * Calls back once when `ms` have passed.
 *
 * @returns A function that stops it. It may be called at any time and never throws.
 * @throws {LocalProtocolError} `CALLBACK_FAILED`: the clock threw.
 */
export function startTimer(clock: Clock, ms: number, passed: () => void): () => void {
  let isOver = false;
  let timer: unknown;
  const set = (left: number): void => {
    const part = Math.min(left, LONGEST_MS);
    timer = clock.setTimer(part, () => {
      if (isOver) return;
      if (left > part) return set(left - part);
      isOver = true;
      passed();
    });
  };
  try {
    set(ms);
  } catch (cause) {
    throw new LocalProtocolError("CALLBACK_FAILED", "the clock", { cause });
  }
  return () => {
    isOver = true;
    try {
      clock.clearTimer(timer);
    } catch {
      // It may still fire, without effect.
    }
  };
}
