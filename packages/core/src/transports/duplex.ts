// bytes ↔ [duplex] ↔ Node's Duplex: the shape of a Duplex, and what makes one unusable

import { hasMethods } from "./byte-stream.ts";
import type { Listener } from "./platform-types.ts";

/** What libuv has not sent yet, as Node's own timeouts see it; a TLS handle has its socket's as parent. */
interface Queue {
  readonly writeQueueSize?: number;
  readonly _parent?: Queue;
}

/** The parts of a Duplex that we use, so that core needs no Node types. */
export interface DuplexLike {
  readonly destroyed: boolean;
  /** The error it was destroyed with. */
  readonly errored?: unknown;
  readonly readableEnded: boolean;
  /** Some of it was read. */
  readonly readableDidRead?: boolean;
  readonly writableEnded: boolean;
  readonly readableObjectMode: boolean;
  readonly writableObjectMode: boolean;
  readonly readableEncoding: string | null;
  readonly writableFinished: boolean;
  readonly writableLength: number;
  /** net.Socket: all bytes written, and those of them handed to libuv. */
  readonly bytesWritten?: number | undefined;
  readonly _bytesDispatched?: number;
  readonly _handle?: Queue | null;
  readableFlowing: boolean | null;
  /** A stream created with `emitClose: false` emits no "close". */
  readonly _writableState?: { readonly emitClose?: boolean };
  allowHalfOpen: boolean;
  /** net.Socket: still connecting. */
  readonly connecting?: boolean;
  /** TLSSocket: not secure yet. Stays true forever unless created by tls.connect or a tls.Server. */
  readonly secureConnecting?: boolean;
  /** TLSSocket: returns a value once the peer has finished its part of the TLS handshake. */
  getPeerFinished?(): unknown;
  on(event: string, listener: Listener): unknown;
  once(event: string, listener: Listener): unknown;
  removeListener(event: string, listener: Listener): unknown;
  listenerCount(event: string): number;
  pause(): unknown;
  resume(): unknown;
  cork(): void;
  uncork(): void;
  write(chunk: string, encoding: "latin1", callback: (error?: unknown) => void): boolean;
  write(chunk: Uint8Array, callback: (error?: unknown) => void): boolean;
  end(callback?: (error?: unknown) => void): unknown;
  destroy(error?: unknown): unknown;
  /** net.Socket over TCP: sends a reset. */
  resetAndDestroy?(): unknown;
}

/** Reports whether `io` has the shape of a Duplex. */
export function isDuplex(io: unknown): io is DuplexLike {
  return hasMethods(io, "on", "write", "pause", "removeListener");
}

/**
 * Why a caller may not pass this stream; undefined if it may. A stream that failed, or ended unread,
 * before it was passed to us is no mistake of the caller: its transport reports it.
 */
export function whyUnusable(io: DuplexLike): string | undefined {
  if (isUsedUp(io)) return "the stream has ended";
  // A transport leaves a reference to itself on its stream.
  if (!Object.isExtensible(io)) return "the stream takes no new properties";
  if (io.readableObjectMode || io.writableObjectMode) return "the stream is in object mode";
  if (io.readableEncoding) return `the stream decodes to ${io.readableEncoding}`;
  const readers = io.listenerCount("data") + io.listenerCount("readable");
  if (readers > 0) return "the stream has a reader";
  if (io.readableFlowing === true)
    return "the stream is flowing, so its bytes are lost: pause() it";
  return undefined;
}

// The caller has ended only our side, or has read to the peer's end. A stream that release() handed
// over has also been read, but its flow is null again.
function isUsedUp(io: DuplexLike): boolean {
  if (io.destroyed) return false;
  if (!io.readableEnded) return io.writableEnded;
  return io.readableDidRead === true && io.readableFlowing !== null;
}
