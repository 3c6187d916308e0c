// clock → [within] → probe: a step that ends by itself, or by its deadline

import type { Clock } from "@upgrade/core/io";

/** A step did not end in time. */
export class TookTooLong extends Error {
  readonly code = "STEP_TIMEOUT";
  constructor(ms: number) {
    super(`nothing within ${ms / 1000} s`);
  }
}

/** Settles like the promise, or rejects after `ms`. */
export async function within<T>(ms: number, clock: Clock, promise: Promise<T>): Promise<T> {
  let timer: unknown;
  const late = new Promise<never>((_, reject) => {
    timer = clock.setTimer(ms, () => reject(new TookTooLong(ms)));
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clock.clearTimer(timer);
  }
}
