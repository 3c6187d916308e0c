// application ↔ [platform types]: names only, since this package loads no platform's types

declare global {
  // Empty here; in a program with DOM or Node types it merges with the real one.
  interface AbortSignal {}
}

/** The type of the signals that `dial` and `resolve` get. */
export type Signal = AbortSignal;

/** What every platform has. */
export interface Aborter {
  readonly signal: Signal;
  abort(reason: unknown): void;
}

export function newAborter(): Aborter {
  const { AbortController } = globalThis as unknown as { AbortController: new () => Aborter };
  return new AbortController();
}
