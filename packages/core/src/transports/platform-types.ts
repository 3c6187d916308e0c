// application ↔ [platform types]: names only, since core loads no platform's types

declare global {
  // Empty here; in a program with DOM or Node types they merge with the real ones, whose type
  // parameters they must repeat.
  interface AbortSignal {}
  interface ReadableStream<R = any> {}
}

/** A listener as Node declares it: with `unknown` ours would not fit, with `never` no Duplex would. */
export type Listener = (...args: any[]) => void;

/** The type of `body.stream()`. */
export type ByteReadableStream = ReadableStream<Uint8Array>;

/** The type of `request.signal`. */
export type AbortSignalType = AbortSignal;
