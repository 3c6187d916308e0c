// driver → [promises] → application: made when asked for, settled once, never unhandled

/** A promise to be settled from outside. A rejection nobody looks at must not end the process. */
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
    // Not before: looking at a promise costs another one, and most are never rejected.
    handled(this.promise);
    this.#reject(reason);
  }
}

/** A promise, of whatever realm or library. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if ((typeof value !== "object" && typeof value !== "function") || value === null) return false;
  return typeof (value as { then?: unknown }).then === "function";
}

/** Marks a promise as looked at. Whoever awaits it still gets the rejection. */
export function handled<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}

/** Calls what somebody else made, which may throw where it should reject, or give no promise at all. */
export function called<T>(call: () => T | PromiseLike<T>): Promise<T> {
  try {
    return Promise.resolve(call());
  } catch (reason) {
    return Promise.reject(reason);
  }
}

/** A promise of what is made at once. What cannot be made, as of bytes that were taken away, rejects. */
export function settled<T>(make: () => T): Promise<T> {
  try {
    return Promise.resolve(make());
  } catch (reason) {
    return handled(Promise.reject(reason));
  }
}
