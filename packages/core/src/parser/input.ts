// bytes → [input] → parser: what was received but not read yet, chunk by chunk

import { concat } from "../base/octets.ts";

const NOTHING = new Uint8Array(0);

/** A queue of received chunks with a position in the first. Nothing is copied before takeAll. */
export class Input {
  /** The chunk that is being read. */
  chunk: Uint8Array = NOTHING;
  /** The position in it. */
  at = 0;
  /** The number of bytes before this chunk. */
  #before = 0;
  #later: Chunks | undefined;

  /** Bytes not read yet. */
  get length(): number {
    return this.chunk.length - this.at + (this.#later?.length ?? 0);
  }

  /** The offset of the next byte in the stream of all received bytes. */
  get offset(): number {
    return this.#before + this.at;
  }

  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.at < this.chunk.length) {
      this.#later ??= new Chunks();
      this.#later.add(chunk);
    } else {
      this.#before += this.chunk.length;
      this.chunk = chunk;
      this.at = 0;
    }
  }

  /** Notes that `length` bytes of the chunk were read. */
  advance(length: number): void {
    this.at += length;
    if (this.at < this.chunk.length) return;
    this.#before += this.chunk.length;
    this.at = 0;
    // An idle connection must not keep the 64 KiB buffer its last 13 bytes arrived in.
    this.chunk = this.#later?.take() ?? NOTHING;
    if (this.#later?.length === 0) this.#later = undefined;
  }

  /** Removes all bytes not read yet and returns them, in memory of their own. */
  takeAll(): Uint8Array {
    const rest = concat([this.chunk.subarray(this.at), ...(this.#later?.rest ?? [])]);
    this.#before += this.at + rest.length;
    this.chunk = NOTHING;
    this.at = 0;
    this.#later = undefined;
    return rest;
  }
}

/** A queue of chunks, none of them empty. */
class Chunks {
  #chunks: Uint8Array[] = [];
  // Shifting the array for each chunk would be quadratic.
  #taken = 0;

  /** The number of bytes in the queue. */
  length = 0;

  add(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.length += chunk.length;
  }

  take(): Uint8Array {
    const chunk = this.#chunks[this.#taken]!;
    this.length -= chunk.length;
    this.#chunks[this.#taken++] = NOTHING;
    if (this.#taken * 2 > this.#chunks.length) {
      this.#chunks = this.rest;
      this.#taken = 0;
    }
    return chunk;
  }

  /** The chunks that were not taken. */
  get rest(): Uint8Array[] {
    return this.#chunks.slice(this.#taken);
  }
}
