// application ↔ [names of platform types]: core loads no types of any platform, its users do

declare global {
  // Empty here; in a program with the DOM's or Node's types it merges with the real one.
  interface AbortSignal {}
}

/** What `request.signal` is. */
export type AbortSignalType = AbortSignal;
