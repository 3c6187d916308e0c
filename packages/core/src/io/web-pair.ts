// bytes ↔ [WHATWG pair] ↔ driver: workerd sockets, WebTransport streams

import { LocalProtocolError } from "../errors.ts";
import { concat } from "../octets.ts";
import { hasMethods } from "./byte-stream.ts";
import { called, Deferred, handled } from "./deferred.ts";
import type { Lockable } from "./pull-transport.ts";

// What we use of Web Streams, so that core needs no types of the DOM.
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

/** What the sockets of workerd, and others of the same API, have besides. */
interface SocketLike extends WebPair {
  close(): Promise<unknown>;
}

function isSocket(pair: WebPair): pair is SocketLike {
  return hasMethods(pair, "close", "startTls");
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
  keepsReads = false;
  readonly #pair: WebPair;
  #locks: { readonly writer: Writer; reader: Reader } | undefined;
  #aborted: { readonly reason: unknown } | undefined;
  // Writes on their way: a sink that waits for its peer does not let go of them at an abort.
  readonly #pending = new Set<Deferred<void>>();

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

  // Not `async`, as little of what follows is: each step would cost a promise, and a turn.
  read(): Promise<Uint8Array | null> {
    return this.#aborted === undefined
      ? this.#locked.reader.read().then(this.#took)
      : this.#gaveUp();
  }

  readonly #took = ({
    done,
    value,
  }: ReadResult): Uint8Array | null | Promise<Uint8Array | null> => {
    // A cancelled stream ends well; ours was given up.
    if (this.#aborted !== undefined) return this.#gaveUp();
    if (done) return null;
    const isEmpty = ArrayBuffer.isView(value) && value.byteLength === 0;
    return isEmpty ? this.read() : (value as Uint8Array);
  };

  // What was given up is not locked again.
  #gaveUp(): Promise<never> {
    return Promise.reject(this.#aborted!.reason);
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#aborted !== undefined) return this.#gaveUp();
    const chunk = chunks.length === 1 ? chunks[0]! : concat(chunks);
    return this.#untilAborted(this.#locked.writer.write(chunk));
  }

  closeWrite(): Promise<void> {
    if (this.#aborted !== undefined) return this.#gaveUp();
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
      // workerd tells the peer of a stream that was cancelled only when the handler has returned, and
      // of one that was closed at once. What is pending is lost, and that shows.
      giveUp(() => writer.close());
      giveUp(() => pair.close());
    } else {
      giveUp(() => reader.cancel(reason));
      giveUp(() => writer.abort(reason));
    }
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

// Each side is given up, whatever becomes of the other.
function giveUp(call: () => Promise<unknown>): void {
  handled(called(call));
}

function lock(pair: WebPair): Reader {
  const reader = pair.readable.getReader();
  // It is rejected when the lock is released, and nobody else looks at it.
  handled(reader.closed);
  return reader;
}
