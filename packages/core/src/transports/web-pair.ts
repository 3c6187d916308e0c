// bytes ↔ [WHATWG pair] ↔ driver: workerd sockets, WebTransport streams

import { LocalProtocolError } from "../base/errors.ts";
import { concat } from "../base/octets.ts";
import { hasMethods } from "./byte-stream.ts";
import { Deferred, handled, invoke } from "./deferred.ts";
import type { Lockable } from "./pull-transport.ts";

// The parts of Web Streams that we use, so that core needs no DOM types.
interface ReadResult {
  readonly done: boolean;
  readonly value?: Uint8Array | undefined;
}
interface Reader {
  readonly closed: Promise<unknown>;
  read(): Promise<ReadResult>;
  cancel(reason: unknown): Promise<unknown>;
  releaseLock(): void;
}
interface Writer {
  readonly closed: Promise<unknown>;
  write(chunk: Uint8Array): Promise<unknown>;
  close(): Promise<unknown>;
  abort(reason: unknown): Promise<unknown>;
  releaseLock(): void;
}

/** `{ readable, writable }`, by shape. */
export interface WebPair {
  readonly readable: { readonly locked: boolean; getReader(): Reader };
  readonly writable: { readonly locked: boolean; getWriter(): Writer };
}

/** Sockets of workerd, and others with the same API, can also be closed. */
interface SocketLike extends WebPair {
  close(): Promise<unknown>;
}

function isSocket(pair: WebPair): pair is SocketLike {
  return hasMethods(pair, "close", "startTls");
}

/** Reports whether `io` has the shape of a WHATWG pair. */
export function isWebPair(io: unknown): io is WebPair {
  if (typeof io !== "object" || io === null) return false;
  const { readable, writable } = io as Partial<WebPair>;
  return typeof readable?.getReader === "function" && typeof writable?.getWriter === "function";
}

/** A WHATWG pair as a ByteStream. */
export class WebPairStream implements Lockable {
  readonly withdrawsInDoubt = true;
  keepsReads = false;
  readonly #pair: WebPair;
  #locks: { readonly writer: Writer; reader: Reader } | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  // Pending writes: a sink that waits for its peer does not settle them on abort.
  readonly #pending = new Set<Deferred<void>>();

  /** @throws {LocalProtocolError} `INVALID_IO`: a side is locked. */
  constructor(pair: WebPair) {
    if (pair.readable.locked) throw new LocalProtocolError("INVALID_IO", "readable is locked");
    if (pair.writable.locked) throw new LocalProtocolError("INVALID_IO", "writable is locked");
    this.#pair = pair;
  }

  // Locked on first use, so that a refused pair is left untouched.
  get #locked(): { readonly writer: Writer; reader: Reader } {
    this.#locks ??= { writer: this.#pair.writable.getWriter(), reader: lock(this.#pair) };
    return this.#locks;
  }

  // A clean close of the writable is our own closeWrite; a failure means that the peer is gone.
  get gone(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#locked.writer.closed.catch(resolve);
    });
  }

  // Not `async`: each step would cost a promise and a microtask.
  read(): Promise<Uint8Array | null> {
    return this.#aborted === undefined
      ? this.#locked.reader.read().then(this.#onRead)
      : this.#rejectAborted();
  }

  readonly #onRead = ({
    done,
    value,
  }: ReadResult): Uint8Array | null | Promise<Uint8Array | null> => {
    // A canceled stream ends cleanly, but this one was aborted.
    if (this.#aborted !== undefined) return this.#rejectAborted();
    if (done) return null;
    const isEmpty = ArrayBuffer.isView(value) && value.byteLength === 0;
    return isEmpty ? this.read() : (value as Uint8Array);
  };

  // An aborted pair is not locked again.
  #rejectAborted(): Promise<never> {
    return Promise.reject(this.#aborted!.reason);
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#aborted !== undefined) return this.#rejectAborted();
    const chunk = chunks.length === 1 ? chunks[0]! : concat(chunks);
    return this.#untilAborted(this.#locked.writer.write(chunk));
  }

  closeWrite(): Promise<void> {
    if (this.#aborted !== undefined) return this.#rejectAborted();
    return this.#untilAborted(this.#locked.writer.close());
  }

  #untilAborted(call: Promise<unknown>): Promise<void> {
    const pending = new Deferred<void>();
    this.#pending.add(pending);
    call.then(
      () => {
        this.#pending.delete(pending);
        pending.resolve();
      },
      (reason) => {
        this.#pending.delete(pending);
        pending.reject(reason);
      },
    );
    return pending.promise;
  }

  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    for (const call of this.#pending) call.reject(reason);
    const { reader, writer } = this.#locked;
    const pair = this.#pair;
    if (isSocket(pair)) {
      // On workerd the peer sees a canceled stream only after the handler has returned, and a closed
      // one at once. Pending output is lost, so the peer still sees a failure.
      abortQuietly(() => writer.close());
      abortQuietly(() => pair.close());
    } else {
      abortQuietly(() => reader.cancel(reason));
      abortQuietly(() => writer.abort(reason));
    }
    try {
      this.releaseLocks();
    } catch {
      // While a read is pending, workerd keeps the lock; the stream is useless by now anyway.
    }
  }

  cancelRead(): boolean {
    try {
      // Rejects the pending read, except on workerd, where it throws. A read whose chunk is already on
      // its way through the microtasks still delivers it; the two cannot be distinguished.
      this.#locked.reader.releaseLock();
    } catch {
      this.keepsReads = true;
      return false;
    }
    this.#locked.reader = lock(this.#pair);
    return true;
  }

  releaseLocks(): void {
    this.#locks?.reader.releaseLock();
    this.#locks?.writer.releaseLock();
  }
}

// Each side is aborted, even if the other fails.
function abortQuietly(call: () => Promise<unknown>): void {
  handled(invoke(call));
}

function lock(pair: WebPair): Reader {
  const reader = pair.readable.getReader();
  // Releasing the lock rejects it.
  handled(reader.closed);
  return reader;
}
