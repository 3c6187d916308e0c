// bytes ↔ [WHATWG pair] ↔ driver: Deno.Conn, workerd sockets, WebTransport streams

import { LocalProtocolError } from "../errors.ts";
import { concat } from "../octets.ts";
import { Deferred, handled } from "./deferred.ts";
import type { Lockable } from "./pull-transport.ts";

// What we use of Web Streams, so that core needs no types of the DOM.
interface Reader {
  readonly closed: Promise<unknown>;
  read(): Promise<{ readonly done: boolean; readonly value?: Uint8Array | undefined }>;
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

/** Whether `io` has the shape of a WHATWG pair. */
export function isWebPair(io: unknown): io is WebPair {
  if (typeof io !== "object" || io === null) return false;
  const { readable, writable } = io as Partial<WebPair>;
  return typeof readable?.getReader === "function" && typeof writable?.getWriter === "function";
}

/** A WHATWG pair as a ByteStream. */
export class WebPairStream implements Lockable {
  readonly withdrawsInDoubt = true;
  readonly #pair: WebPair;
  #locks: { readonly writer: Writer; reader: Reader } | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  // Writes on their way: a sink that waits for its peer does not let go of them at an abort.
  readonly #pending = new Set<Deferred<unknown>>();

  /** @throws {LocalProtocolError} `INVALID_IO`: a side is locked. */
  constructor(pair: WebPair) {
    if (pair.readable.locked) throw new LocalProtocolError("INVALID_IO", "readable is locked");
    if (pair.writable.locked) throw new LocalProtocolError("INVALID_IO", "writable is locked");
    this.#pair = pair;
  }

  // Locked when it is first used: who only looks at it, and refuses, leaves it as it was.
  get #locked(): { readonly writer: Writer; reader: Reader } {
    this.#locks ??= { writer: this.#pair.writable.getWriter(), reader: lock(this.#pair) };
    return this.#locks;
  }

  // A writable that closes well is our own closeWrite; one that fails is a peer that is gone.
  get gone(): Promise<unknown> {
    return new Promise((resolve) => {
      this.#locked.writer.closed.catch(resolve);
    });
  }

  async read(): Promise<Uint8Array | null> {
    this.#assertOpen();
    const { reader } = this.#locked;
    for (;;) {
      const { done, value } = await reader.read();
      // A cancelled stream ends well; ours was given up.
      this.#assertOpen();
      if (done) return null;
      if (!(value instanceof Uint8Array) || value.length > 0) return value as Uint8Array;
    }
  }

  // What was given up is not locked again.
  #assertOpen(): void {
    if (this.#aborted !== undefined) throw this.#aborted.reason;
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    this.#assertOpen();
    const chunk = chunks.length === 1 ? chunks[0]! : concat(chunks);
    await this.#untilAborted(this.#locked.writer.write(chunk));
  }

  async closeWrite(): Promise<void> {
    this.#assertOpen();
    await this.#untilAborted(this.#locked.writer.close());
  }

  async #untilAborted(call: Promise<unknown>): Promise<void> {
    const aborted = new Deferred<unknown>();
    this.#pending.add(aborted);
    call.then(aborted.resolve, (reason) => aborted.reject(reason));
    try {
      await aborted.promise;
    } finally {
      this.#pending.delete(aborted);
    }
  }

  abort(reason: unknown): void {
    if (this.#aborted !== undefined) return;
    this.#aborted = { reason };
    for (const call of this.#pending) call.reject(reason);
    const { reader, writer } = this.#locked;
    handled(Promise.resolve(reader.cancel(reason)));
    handled(Promise.resolve(writer.abort(reason)));
    try {
      this.releaseLocks();
    } catch {
      // Where a read is pending still, workerd keeps the lock of a stream that is of no use any more.
    }
  }

  cancelRead(): boolean {
    try {
      // A pending read is rejected, except on workerd, which throws. One that has its chunk already,
      // on its way through the microtasks, brings it all the same: nothing tells it from the other.
      this.#locked.reader.releaseLock();
    } catch {
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

function lock(pair: WebPair): Reader {
  const reader = pair.readable.getReader();
  // It is rejected when the lock is released, and nobody else looks at it.
  handled(reader.closed);
  return reader;
}
