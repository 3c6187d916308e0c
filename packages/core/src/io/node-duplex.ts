// bytes ↔ [Node's Duplex] ↔ driver: net.Socket, TLSSocket, an SSH channel, an Http2Stream

import { LocalProtocolError } from "../errors.ts";
import { hasMethods } from "./byte-stream.ts";
import { asError, wordsOf } from "./causes.ts";
import { guard } from "./guard.ts";
import type { Batch } from "./outbox.ts";
import type { Transport, TransportEvents } from "./transport.ts";

const NOTHING = new Uint8Array(0);

type Listener = (...args: never[]) => void;

/** What libuv has not sent yet, as Node's own timeouts see it; TLS has a socket below it. */
interface Queue {
  readonly writeQueueSize?: number;
  readonly _parent?: Queue;
}

/** What we use of a Duplex, so that core needs no types of Node. */
export interface DuplexLike {
  readonly destroyed: boolean;
  /** What it was destroyed with. */
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
  /** net.Socket: all bytes that were written, and of them all that libuv was given. */
  readonly bytesWritten?: number | undefined;
  readonly _bytesDispatched?: number;
  readonly _handle?: Queue | null;
  readableFlowing: boolean | null;
  /** A stream that was made with `emitClose: false` emits no "close". */
  readonly _writableState?: { readonly emitClose?: boolean };
  allowHalfOpen: boolean;
  /** net.Socket: a connection is being made. */
  readonly connecting?: boolean;
  /** TLSSocket: it is not secure yet. One that no tls.connect or tls.Server made says so for ever. */
  readonly secureConnecting?: boolean;
  /** TLSSocket: defined once the peer has finished its part of the TLS handshake. */
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
  end(callback?: () => void): unknown;
  destroy(error?: unknown): unknown;
  /** net.Socket over TCP: sends a reset. */
  resetAndDestroy?(): unknown;
}

/** Whether `io` has the shape of a Duplex. */
export function isDuplex(io: unknown): io is DuplexLike {
  return hasMethods(io, "on", "write", "pause", "removeListener");
}

/** Drives a Duplex by its events; promises would cost a turn a chunk. */
export class NodeDuplex implements Transport {
  readonly #io: DuplexLike;
  readonly #allowedHalfOpen: boolean;
  #events!: TransportEvents;
  #isSecure: boolean;
  // Waits for what opens the stream, if it was not open.
  #opener: { readonly event: string; readonly listener: Listener } | undefined;
  #told = false;
  #wasDead = false;

  /** @throws {LocalProtocolError} `INVALID_IO`, with the reason. */
  constructor(io: DuplexLike) {
    const reason = unfitness(io);
    if (reason !== undefined) throw new LocalProtocolError("INVALID_IO", reason);
    this.#io = io;
    this.#allowedHalfOpen = io.allowHalfOpen;
    this.#isSecure = io.secureConnecting !== true || io.getPeerFinished?.() !== undefined;
  }

  get isOpen(): boolean {
    return this.#io.connecting !== true && this.#isSecure;
  }

  get unacceptedBytes(): number {
    return this.#io.writableLength;
  }

  // Node calls a write of many megabytes accepted when all of it has left, however long that takes.
  get unsentBytes(): number {
    const { _handle: handle, bytesWritten = NaN, _bytesDispatched: dispatched = NaN } = this.#io;
    const queued = handle?._parent?.writeQueueSize ?? handle?.writeQueueSize ?? NaN;
    const unsent = queued + bytesWritten - dispatched;
    return unsent >= 0 ? unsent : this.unacceptedBytes;
  }

  // What it reads while it is paused stays in the stream.
  get isReading(): boolean {
    return false;
  }

  attach(events: TransportEvents): void {
    this.#events = events;
    const io = this.#io;
    this.#wasDead = isDead(io);
    if (this.#wasDead) {
      // Its error may still be on its way to whoever listens.
      guard(io);
      this.#tellGone(io.errored ?? undefined);
      return;
    }
    // Without this Node ends our side with the peer's, and an answer in the making is lost.
    io.allowHalfOpen = true;
    io.on("error", this.#onError);
    io.on("close", this.#onClose);
    io.on("end", this.#onEnd);
    io.on("data", this.#onData as Listener);
    if (!this.isOpen) this.#awaitOpen();
    if (io.readableEnded) events.ended();
  }

  // A TLS client verifies the peer in a listener of its own on "secure", which stands before ours.
  #awaitOpen(): void {
    const event = this.#isSecure ? "connect" : "secure";
    // Those that tls.connect or a server made have such a listener, and begin the TLS handshake by
    // themselves. Any other begins with the first write, be it empty. Written to one of the former
    // it would stall the handshake on Deno.
    const isUnbegun = !this.#isSecure && this.#io.listenerCount("secure") === 0;
    const listener = (): void => {
      this.#isSecure = true;
      this.#opener = undefined;
      if (!this.#told && !this.#io.destroyed) this.#events.opened();
    };
    this.#opener = { event, listener };
    this.#io.once(event, listener);
    if (isUnbegun) this.#io.write("", "latin1", () => {});
  }

  readonly #onData = (bytes: Uint8Array | string): void => {
    if (typeof bytes !== "string") this.#events.data(bytes);
    else this.#tellGone(new TypeError("the stream yields strings: setEncoding was called"));
  };
  readonly #onEnd = (): void => this.#events.ended();
  readonly #onError = (error?: unknown): void => this.#tellGone(error);
  readonly #onClose = (): void => {
    this.#hearNothing();
    this.#io.removeListener("close", this.#onClose);
    // There are streams that tell of an error after they have closed.
    guard(this.#io);
    this.#io.removeListener("error", this.#onError);
    this.#tellGone(undefined);
  };
  readonly #onWritten = (error?: unknown): void => {
    if (this.#told) return;
    if (error === undefined || error === null) this.#events.accepted();
    // Any other tells of it by "error" or "close".
    else if (!tellsOfClose(this.#io)) this.#tellGone(error);
  };

  #hearNothing(): void {
    const io = this.#io;
    io.removeListener("data", this.#onData as Listener);
    io.removeListener("end", this.#onEnd);
    if (this.#opener !== undefined) io.removeListener(this.#opener.event, this.#opener.listener);
  }

  #tellGone(reason: unknown): void {
    if (this.#told) return;
    this.#told = true;
    this.#events.gone(reason);
  }

  resume(): void {
    if (this.#io.readableFlowing !== true) this.#io.resume();
  }

  pause(): boolean {
    if (this.#io.readableFlowing === true) this.#io.pause();
    return true;
  }

  withdraw(_late: boolean): boolean {
    return this.pause();
  }

  async late(): Promise<Uint8Array> {
    return NOTHING;
  }

  write(batch: Batch): void {
    try {
      this.#write(batch);
    } catch (error) {
      // A stream of somebody's own that throws has failed, and tells so as any other does.
      destroy(this.#io, error);
    }
  }

  #write(batch: Batch): void {
    const io = this.#io;
    if (typeof batch === "string") {
      io.write(batch, "latin1", this.#onWritten);
      return;
    }
    io.cork();
    for (const piece of batch) {
      if (typeof piece === "string") io.write(piece, "latin1", this.#onWritten);
      else io.write(piece, this.#onWritten);
    }
    io.uncork();
  }

  closeWrite(): void {
    try {
      this.#io.end();
    } catch (error) {
      destroy(this.#io, error);
    }
  }

  abort(reason: unknown): void {
    this.#told = true;
    const io = this.#io;
    // What is still to come is its own end, and perhaps an error before that.
    this.#hearNothing();
    if (io.destroyed || this.#wasDead) return;
    if (io.connecting !== true && !isShuttingDown(io) && io.resetAndDestroy !== undefined) {
      try {
        io.resetAndDestroy();
        return;
      } catch {
        // Only TCP has resets: over TLS or a pipe, destroying is all there is.
      }
    }
    // An error is what makes a stream that is no socket tell its peer of a failure.
    if (io.resetAndDestroy === undefined) destroy(io, reason);
    else io.destroy();
  }

  // Not before our end is out: over TLS that is the close_notify (RFC 9112 §9.8).
  destroy(): void {
    const io = this.#io;
    if (io.destroyed) this.#tellGone(undefined);
    else if (io.writableFinished) this.#destroyNow();
    else io.end(this.#destroyNow);
  }

  readonly #destroyNow = (): void => {
    this.#io.destroy();
    if (!tellsOfClose(this.#io)) this.#onClose();
  };

  release(): void {
    const io = this.#io;
    this.#told = true;
    this.#hearNothing();
    io.removeListener("close", this.#onClose);
    // A destroyed one, too: it has its error at once, and tells of it in a later turn.
    guard(io);
    io.removeListener("error", this.#onError);
    io.allowHalfOpen = this.#allowedHalfOpen;
    // After pause() it would be false, and the next owner's "data" listener would never flow.
    io.readableFlowing = null;
  }
}

// All is written and the end is on its way: Node cannot reset a socket then, and would leak it. The
// peer sees our end either way.
function isShuttingDown(io: DuplexLike): boolean {
  return io.writableEnded && !io.writableFinished && io.writableLength === 0;
}

// A net.Socket emits its "close" by itself, when its handle has closed.
function tellsOfClose(io: DuplexLike): boolean {
  return io.connecting !== undefined || io._writableState?.emitClose !== false;
}

// What has ended both ways can carry nothing, whether it has closed yet or not.
function isDead(io: DuplexLike): boolean {
  return io.destroyed || (io.readableEnded && io.writableEnded);
}

// What a caller does wrong. That a stream nobody has read from fails or ends before it comes to us
// is no such thing: attach() tells of it.
function unfitness(io: DuplexLike): string | undefined {
  if (hasBeenUsedUp(io)) return "the stream has ended";
  if (io.readableObjectMode || io.writableObjectMode) return "the stream is in object mode";
  if (io.readableEncoding) return `the stream decodes to ${io.readableEncoding}`;
  const readers = io.listenerCount("data") + io.listenerCount("readable");
  if (readers > 0) return "the stream has a reader";
  if (io.readableFlowing === true)
    return "the stream is flowing, so its bytes are lost: pause() it";
  return undefined;
}

// Whoever ends our side alone, or reads up to the peer's end, is done with the stream. One that was
// released as it was given has been read, too, but does not look so: its flow is null again.
function hasBeenUsedUp(io: DuplexLike): boolean {
  if (io.destroyed) return false;
  if (!io.readableEnded) return io.writableEnded;
  return io.readableDidRead === true && io.readableFlowing !== null;
}

// Node reads an error before it takes it, and some cannot be read.
function destroy(io: DuplexLike, reason: unknown): void {
  try {
    io.destroy(asError(reason));
  } catch {
    io.destroy(new Error(wordsOf(reason)));
  }
}
