// bytes ↔ [Node's Duplex] ↔ driver: net.Socket, TLSSocket, an SSH channel, an Http2Stream

import { LocalProtocolError } from "../base/errors.ts";
import type { Batch } from "./batch.ts";
import { asError, messageOf } from "./causes.ts";
import { type DuplexLike, whyUnusable } from "./duplex.ts";
import { guard } from "./guard.ts";
import type { Listener } from "./platform-types.ts";
import type { Transport, TransportEvents } from "./transport.ts";

const NOTHING = new Uint8Array(0);

// The transport that listens to a stream. One set of listeners serves all streams and finds the
// transport here: a set for each took 360 bytes of an idle connection, a sixth of it.
const TRANSPORT = Symbol("transport");

interface Owned {
  [TRANSPORT]?: NodeDuplex | undefined;
}

function onData(this: Owned, bytes: Uint8Array | string): void {
  this[TRANSPORT]?.onData(bytes);
}

function onEnd(this: Owned): void {
  this[TRANSPORT]?.onEnd();
}

function onError(this: Owned, error?: unknown): void {
  this[TRANSPORT]?.onError(error);
}

function onClose(this: Owned): void {
  this[TRANSPORT]?.onClose();
}

/** Drives a Duplex by its events; promises would cost a turn per chunk. */
export class NodeDuplex implements Transport {
  readonly #io: DuplexLike & Owned;
  readonly #allowedHalfOpen: boolean;
  #events!: TransportEvents;
  #isSecure: boolean;
  // The listener for the event that opens the stream, if it is not open yet.
  #opener: { readonly event: string; readonly listener: Listener } | undefined;
  #isOver = false;
  #wasDead = false;

  /** @throws {LocalProtocolError} `INVALID_IO`, with the reason. */
  constructor(io: DuplexLike) {
    const reason = whyUnusable(io);
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

  // Node accepts a write of many megabytes only when all of it has left, however long that takes.
  get unsentBytes(): number {
    const { _handle: handle, bytesWritten = NaN, _bytesDispatched: dispatched = NaN } = this.#io;
    const queued = handle?._parent?.writeQueueSize ?? handle?.writeQueueSize ?? NaN;
    const unsent = queued + bytesWritten - dispatched;
    return unsent >= 0 ? unsent : this.unacceptedBytes;
  }

  // What a paused stream reads stays in the stream.
  get isReading(): boolean {
    return false;
  }

  attach(events: TransportEvents): void {
    this.#events = events;
    const io = this.#io;
    this.#wasDead = isDead(io);
    if (this.#wasDead) {
      // Its "error" may still be about to fire.
      guard(io);
      this.#reportGone(io.errored ?? undefined);
      return;
    }
    // Otherwise Node ends our side with the peer's, and a response in progress is lost.
    io.allowHalfOpen = true;
    Object.defineProperty(io, TRANSPORT, { value: this, configurable: true, writable: true });
    io.on("error", onError);
    io.on("close", onClose);
    io.on("end", onEnd);
    io.on("data", onData);
    if (!this.isOpen) this.#awaitOpen();
    if (io.readableEnded) events.ended();
  }

  // A TLS client verifies the peer in its own "secure" listener, which runs before ours.
  #awaitOpen(): void {
    const event = this.#isSecure ? "connect" : "secure";
    // A socket created by tls.connect or a server has such a listener and starts the TLS handshake
    // itself; an empty write to it would stall the handshake on Deno. Any other socket starts with
    // the first write, even an empty one.
    const isUnbegun = !this.#isSecure && this.#io.listenerCount("secure") === 0;
    const listener = (): void => {
      this.#isSecure = true;
      this.#opener = undefined;
      if (!this.#isOver && !this.#io.destroyed) this.#events.opened();
    };
    this.#opener = { event, listener };
    this.#io.once(event, listener);
    if (isUnbegun) this.#io.write("", "latin1", () => {});
  }

  // The four events, called by the listeners above.

  onData(bytes: Uint8Array | string): void {
    if (typeof bytes !== "string") this.#events.data(bytes);
    else this.#reportGone(new TypeError("the stream yields strings: setEncoding was called"));
  }

  onEnd(): void {
    this.#events.ended();
  }

  onError(error?: unknown): void {
    this.#reportGone(error);
  }

  onClose(): void {
    // Some streams emit "error" after "close".
    guard(this.#io);
    this.#letGo();
    this.#reportGone(undefined);
  }

  readonly #onWritten = this.#written.bind(this);

  #written(error?: unknown): void {
    if (this.#isOver) return;
    if (error === undefined || error === null) this.#events.accepted();
    // Any other stream reports it by "error" or "close".
    else if (!emitsClose(this.#io)) this.#reportGone(error);
  }

  #removeListeners(): void {
    const io = this.#io;
    io.removeListener("data", onData);
    io.removeListener("end", onEnd);
    if (this.#opener !== undefined) io.removeListener(this.#opener.event, this.#opener.listener);
  }

  #letGo(): void {
    const io = this.#io;
    this.#removeListeners();
    io.removeListener("close", onClose);
    io.removeListener("error", onError);
    io[TRANSPORT] = undefined;
  }

  #reportGone(reason: unknown): void {
    if (this.#isOver) return;
    this.#isOver = true;
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
      // A custom stream that throws has failed; destroying it reports that as for any other.
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
    this.#isOver = true;
    const io = this.#io;
    // "close" is still to come, perhaps after an "error".
    this.#removeListeners();
    if (!io.destroyed && !this.#wasDead) reset(io, reason);
  }

  // Only after our end is out, which over TLS is the close_notify (RFC 9112 §9.8).
  destroy(): void {
    const io = this.#io;
    if (io.destroyed) this.#reportGone(undefined);
    else if (io.writableFinished) this.#destroyNow();
    else io.end(() => this.#destroyNow());
  }

  #destroyNow(): void {
    this.#io.destroy();
    if (!emitsClose(this.#io)) this.onClose();
  }

  release(): void {
    const io = this.#io;
    this.#isOver = true;
    // Even if destroyed: its "error" is emitted in a later turn.
    guard(io);
    this.#letGo();
    io.allowHalfOpen = this.#allowedHalfOpen;
    // After pause() it would be false, and the next owner's "data" listener would not start the flow.
    io.readableFlowing = null;
  }
}

/** Aborts a Duplex, whether or not it has listeners. */
export function abortDuplex(io: DuplexLike, reason: unknown): void {
  guard(io);
  if (!io.destroyed) reset(io, reason);
}

function reset(io: DuplexLike, reason: unknown): void {
  if (io.connecting !== true && !isShuttingDown(io) && io.resetAndDestroy !== undefined) {
    try {
      io.resetAndDestroy();
      return;
    } catch {
      // Only TCP has resets; over TLS or a pipe the socket can only be destroyed.
    }
  }
  // A stream that is not a socket shows its peer a failure only if destroyed with an error.
  if (io.resetAndDestroy === undefined) destroy(io, reason);
  else io.destroy();
}

// Everything is written and the end is in progress: Node cannot reset such a socket and would leak
// it. The peer sees our end either way.
function isShuttingDown(io: DuplexLike): boolean {
  return io.writableEnded && !io.writableFinished && io.writableLength === 0;
}

// A net.Socket emits "close" itself, when its handle has closed.
function emitsClose(io: DuplexLike): boolean {
  return io.connecting !== undefined || io._writableState?.emitClose !== false;
}

// A stream that has ended both ways is of no use, closed or not.
function isDead(io: DuplexLike): boolean {
  return io.destroyed || (io.readableEnded && io.writableEnded);
}

// Node reads properties of the error, which may throw.
function destroy(io: DuplexLike, reason: unknown): void {
  try {
    io.destroy(asError(reason));
  } catch {
    io.destroy(new Error(messageOf(reason)));
  }
}
