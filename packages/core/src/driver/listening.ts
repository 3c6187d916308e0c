// application → [listening] → driver: the caller's abort signal, of any implementation

import { LocalProtocolError } from "../base/errors.ts";

/** An `AbortSignal`, by shape. */
export interface SignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/**
 * Calls `onAbort` once with the reason when the signal aborts, or at once if it has. If the reason
 * cannot be read, it is a `CALLBACK_FAILED`.
 *
 * @returns A function that stops listening. It may be called at any time and never throws.
 * @throws {LocalProtocolError} `CALLBACK_FAILED`: the signal threw; no listener is left.
 */
export function listen(signal: SignalLike, onAbort: (reason: unknown) => void): () => void {
  let isOver = false;
  const stop = (): void => {
    isOver = true;
    try {
      signal.removeEventListener("abort", onSignal);
    } catch {
      // The listener is inert now.
    }
  };
  const onSignal = (): void => {
    if (isOver) return;
    isOver = true;
    onAbort(reasonOf(signal));
    stop();
  };
  let hasAborted = false;
  try {
    hasAborted = signal.aborted === true;
    if (!hasAborted) signal.addEventListener("abort", onSignal, { once: true });
  } catch (cause) {
    if (!isOver) {
      stop();
      throw signalFailed(cause);
    }
  }
  if (hasAborted) onSignal();
  return () => {
    if (!isOver) stop();
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
