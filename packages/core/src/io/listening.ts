// application → [listening] → driver: the caller's signal, which may be of any make

import { LocalProtocolError } from "../errors.ts";

/** An `AbortSignal`, by shape. */
export interface SignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * Calls `onAbort` once with the reason when the signal aborts, or now if it has. A reason that
 * cannot be read is a `CALLBACK_FAILED`.
 *
 * @returns Stops listening. It may be called at any time, and never throws.
 * @throws {LocalProtocolError} `CALLBACK_FAILED`: the signal threw, and nobody listens to it.
 */
export function listen(signal: SignalLike, onAbort: (reason: unknown) => void): () => void {
  let isOver = false;
  const leave = (): void => {
    isOver = true;
    try {
      signal.removeEventListener("abort", heard);
    } catch {
      // A listener that stays does nothing any more.
    }
  };
  const heard = (): void => {
    if (isOver) return;
    isOver = true;
    onAbort(reasonOf(signal));
    leave();
  };
  let hasAborted = false;
  try {
    hasAborted = signal.aborted === true;
    if (!hasAborted) signal.addEventListener("abort", heard, { once: true });
  } catch (cause) {
    if (!isOver) {
      leave();
      throw signalFailed(cause);
    }
  }
  if (hasAborted) heard();
  return () => {
    if (!isOver) leave();
  };
}

function reasonOf(signal: SignalLike): unknown {
  try {
    return signal.reason;
  } catch (cause) {
    return signalFailed(cause);
  }
}

function signalFailed(cause: unknown): LocalProtocolError {
  return new LocalProtocolError("CALLBACK_FAILED", "the signal", { cause });
}
