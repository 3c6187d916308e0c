// driver ← [clock]: the only source of time

/**
 * A source of time. Tests can inject a {@link ManualClock}. If it throws, the connection fails with
 * `CALLBACK_FAILED`.
 */
export interface Clock {
  /** Milliseconds since an arbitrary moment; monotonic. */
  now(): number;
  /** Calls `callback` once, `ms` from now. Returns a handle for {@link clearTimer}. */
  setTimer(ms: number, callback: () => void): unknown;
  clearTimer(timer: unknown): void;
}

// What every platform has.
declare const performance: { now(): number };
declare function setTimeout(callback: () => void, ms: number): unknown;
declare function clearTimeout(timer: unknown): void;

/** The platform's clock. On Node its timers do not keep the process alive. */
export const systemClock: Clock = {
  // Whole milliseconds: V8 keeps a fraction outside its object, in 16 bytes of its own.
  now: () => Math.floor(performance.now()),
  setTimer(ms, callback) {
    const timer = setTimeout(callback, ms);
    (timer as { unref?: () => void }).unref?.();
    return timer;
  },
  clearTimer: (timer) => clearTimeout(timer),
};

/** A clock that moves only by {@link advance}, for tests. */
export class ManualClock implements Clock {
  #now = 0;
  readonly #timers = new Map<object, { readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  setTimer(ms: number, callback: () => void): unknown {
    const timer = {};
    this.#timers.set(timer, { at: this.#now + ms, callback });
    return timer;
  }

  clearTimer(timer: unknown): void {
    this.#timers.delete(timer as object);
  }

  /** The number of timers set. */
  get pending(): number {
    return this.#timers.size;
  }

  /** Advances by `ms`, firing the timers due on the way, in order. */
  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      let due: object | undefined;
      let at = until;
      for (const [timer, entry] of this.#timers) {
        if (entry.at < at || (entry.at === at && due === undefined)) {
          due = timer;
          at = entry.at;
        }
      }
      if (due === undefined) break;
      const { callback } = this.#timers.get(due)!;
      this.#timers.delete(due);
      this.#now = Math.max(this.#now, at);
      callback();
    }
    this.#now = until;
  }
}
