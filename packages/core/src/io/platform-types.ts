// application ↔ [names of platform types]: core loads no types of any platform, its users do

declare global {
  // Empty here; in a program with the DOM's or Node's types they merge with the real ones, whose
  // type parameters they must repeat.
  interface AbortSignal {}
  interface ReadableStream<R = any> {}
}

/** What `body.stream()` gives. */
export type ByteReadableStream = ReadableStream<Uint8Array>;

/** What `request.signal` is. */
export type AbortSignalType = AbortSignal;
