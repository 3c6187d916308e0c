// bytes ↔ [Deno.Conn] ↔ driver: a TCP, TLS or Unix connection of Deno

import { hasMethods } from "./byte-stream.ts";
import { handled, invoke } from "./deferred.ts";
import type { Lockable } from "./pull-transport.ts";

const FIRST_BYTES = 4_096;
const MOST_BYTES = 65_536;

/** The parts of a `Deno.Conn` that we use, so that core needs no Deno types. */
export interface ConnLike {
  /** Reads into `buffer` and resolves with the number of bytes, or null at the end. */
  read(buffer: Uint8Array): Promise<number | null>;
  /** Writes some of `bytes` and resolves with the number written. */
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

/**
 * Reports whether `io` has the shape of a Deno.Conn. Its streams are not used: closing `writable`
 * closes the connection, so there is no half-close, and a server's last response is lost.
 */
export function isConn(io: unknown): io is ConnLike {
  return hasMethods(io, "read", "write", "closeWrite", "close") && !hasMethods(io, "abort");
}

/** A Deno.Conn as a ByteStream. A pending read cannot be withdrawn. */
export class ConnStream implements Lockable {
  readonly #conn: ConnLike;
  #buffer: Uint8Array | undefined;
  #nextBytes = FIRST_BYTES;
  // Deno writes in parts, so concurrent writes would interleave.
  #written: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(conn: ConnLike) {
    this.#conn = conn;
  }

  async read(): Promise<Uint8Array | null> {
    this.#buffer ??= new Uint8Array(this.#nextBytes);
    const count = await this.#conn.read(this.#buffer);
    if (count === null) return null;
    return count === 0 ? this.read() : this.#take(count);
  }

  // The caller keeps what is read. A small piece is copied, so that it does not pin a large buffer.
  #take(count: number): Uint8Array {
    const buffer = this.#buffer!;
    if (count < buffer.length / 2) return buffer.slice(0, count);
    this.#buffer = undefined;
    if (count === buffer.length) this.#nextBytes = Math.min(2 * count, MOST_BYTES);
    return buffer.subarray(0, count);
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#afterWrites(() => this.#writeAll(chunks));
  }

  async #writeAll(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      for (let at = 0; at < chunk.length; ) at += await this.#conn.write(chunk.subarray(at));
    }
  }

  closeWrite(): Promise<void> {
    return this.#afterWrites(() => this.#conn.closeWrite());
  }

  #afterWrites(step: () => Promise<void>): Promise<void> {
    this.#written = this.#written.then(step);
    return this.#written;
  }

  // Deno cannot send a reset. Pending calls reject.
  abort(): void {
    this.#close();
  }

  closeEnded(): void {
    this.#close();
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // It throws if the connection is already closed.
    handled(invoke(() => this.#conn.close()));
  }
}
