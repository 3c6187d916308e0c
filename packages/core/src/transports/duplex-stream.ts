// Node's Duplex ↔ [duplex stream] ↔ application: a Duplex as a byte stream

import { LocalProtocolError } from "../base/errors.ts";
import { concat } from "../base/octets.ts";
import type { ByteStream } from "./byte-stream.ts";
import { Deferred } from "./deferred.ts";
import { type DuplexLike, isDuplex } from "./duplex.ts";
import { Inbox } from "./inbox.ts";
import { NodeDuplex } from "./node-duplex.ts";
import type { Lockable } from "./pull-transport.ts";

/**
 * A Node Duplex as a {@link ByteStream}: what a stream of your own can wrap. A handshake takes a
 * Duplex as it is, and then hands back the Duplex itself.
 *
 * The stream owns the Duplex from this call on, and reads from it only when it is read. A write
 * resolves when the Duplex has accepted the bytes, `closeWrite` when it has finished. An abort is a
 * reset over TCP, and destroys any other Duplex with an error. See docs/transports.md.
 *
 * @throws {LocalProtocolError} `INVALID_IO`, with the reason: not a Duplex, in object mode, decoding,
 *   or in use.
 */
export function duplexStream(duplex: DuplexLike): ByteStream {
  if (!isDuplex(duplex)) throw new LocalProtocolError("INVALID_IO", "not a Duplex");
  return new DuplexStream(duplex);
}

const ignore = (): void => {};

class DuplexStream implements Lockable {
  readonly #io: DuplexLike;
  readonly #transport: NodeDuplex;
  readonly #inbox = new Inbox(ignore);
  readonly #gone = new Deferred<unknown>();
  // In the order of their writes, which is that of their acceptance.
  readonly #writers: Deferred<void>[] = [];
  // What is written before the Duplex is connected, and secure.
  #unopened: Uint8Array[] = [];
  #closing: Deferred<void> | undefined;
  #failure: unknown;

  constructor(io: DuplexLike) {
    this.#io = io;
    this.#transport = new NodeDuplex(io);
    this.#transport.attach({
      opened: () => this.#opened(),
      data: (bytes) => {
        this.#transport.pause();
        this.#inbox.push(bytes);
      },
      ended: () => this.#inbox.end(),
      accepted: () => this.#writers.shift()?.resolve(),
      withdrawn: ignore,
      gone: (reason) => this.#closed(reason),
    });
    this.#transport.pause();
  }

  get gone(): Promise<unknown> {
    return this.#gone.promise;
  }

  read(): Promise<Uint8Array | null> {
    const read = this.#inbox.read();
    this.#resume();
    return read;
  }

  // A Duplex that has ended must still flow to report that.
  #resume(): void {
    if (this.#inbox.isWanted && this.#failure === undefined) this.#transport.resume();
  }

  cancelRead(): boolean {
    this.#transport.pause();
    return this.#inbox.cancelRead();
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing !== undefined) return Promise.reject(new Error("write after end"));
    const chunk = chunks.length === 1 ? chunks[0]! : concat(chunks);
    if (chunk.length === 0) return Promise.resolve();
    const writer = new Deferred<void>();
    this.#writers.push(writer);
    if (this.#transport.isOpen) this.#transport.write([chunk]);
    else this.#unopened.push(chunk);
    return writer.promise;
  }

  #opened(): void {
    const unopened = this.#unopened;
    this.#unopened = [];
    for (const chunk of unopened) this.#transport.write([chunk]);
    if (this.#closing !== undefined) this.#end(this.#closing);
  }

  closeWrite(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing === undefined) {
      this.#closing = new Deferred();
      if (this.#transport.isOpen) this.#end(this.#closing);
    }
    return this.#closing.promise;
  }

  #end(closing: Deferred<void>): void {
    try {
      // Called with an error if the Duplex is destroyed first, which "close" reports.
      this.#io.end((error?: unknown) => {
        if (error === undefined || error === null) closing.resolve();
      });
    } catch (error) {
      this.abort(error);
    }
  }

  abort(reason: unknown): void {
    this.#transport.abort(reason);
    this.#fail(new Error("aborted", { cause: reason }));
    this.#inbox.fail(this.#failure);
  }

  /** Both sides have ended: closes a Duplex that does not do so itself. */
  closeEnded(): void {
    this.#transport.destroy();
  }

  #closed(reason: unknown): void {
    const isClean = reason === undefined || reason === null;
    this.#fail(isClean ? new Error("the stream is closed") : reason);
    // What arrived before a regular end can still be read.
    if (isClean && this.#inbox.isEnded) return;
    this.#inbox.fail(this.#failure);
    this.#gone.resolve(this.#failure);
  }

  #fail(reason: unknown): void {
    this.#failure ??= reason;
    for (const writer of this.#writers.splice(0)) writer.reject(this.#failure);
    this.#closing?.reject(this.#failure);
  }
}
