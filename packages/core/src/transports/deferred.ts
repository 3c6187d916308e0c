// driver → [promises] → application: created on demand, settled once, never unhandled

/** A promise settled from outside. Its rejection never counts as unhandled. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  #reject!: (reason: unknown) => void;

  constructor() {
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.#reject = reject;
    });
  }

  reject(reason: unknown): void {
    // Only now: marking a promise as handled costs another one, and most are never rejected.
    handled(this.promise);
    this.#reject(reason);
  }
}

/** Reports whether `value` is a promise of any realm or library. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return typeof (value as { then?: unknown }).then === "function";
}

/** Calls a callback whose failure, now or later, cannot be reported to its owner. */
export function ignoreFailure(call: () => unknown): void {
  try {
    const result = call();
    if (result !== undefined) handled(Promise.resolve(result));
  } catch {
    // As above.
  }
}

/** Marks a promise as handled. Awaiting it still throws the rejection. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Calls foreign code that should return a promise: a throw becomes a rejection, a value is wrapped. */
export function invoke<T>(call: () => T | PromiseLike<T>): Promise<T> {
  try {
    return Promise.resolve(call());
  } catch (reason) {
    return Promise.reject(reason);
  }
}

/** Wraps a synchronous result in a promise. Rejects if `make` throws, as it does for detached bytes. */
export function settled<T>(make: () => T): Promise<T> {
  try {
    return Promise.resolve(make());
  } catch (reason) {
    return handled(Promise.reject(reason));
  }
}
