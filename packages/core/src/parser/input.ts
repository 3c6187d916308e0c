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
  #later: Uint8Array[] | undefined;
  #laterLength = 0;
  // The number of later chunks already taken: shifting the array for each would be quadratic.
  #taken = 0;

  /** Bytes not read yet. */
  get length(): number {
    return this.chunk.length - this.at + this.#laterLength;
  }

  /** The offset of the next byte in the stream of all received bytes. */
  get offset(): number {
    return this.#before + this.at;
  }

  add(chunk: Uint8Array): void {
    if (chunk.length === 0) return;
    if (this.at < this.chunk.length) {
      this.#later ??= [];
      this.#later.push(chunk);
      this.#laterLength += chunk.length;
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
    this.chunk = this.#later === undefined ? NOTHING : this.#takeLater(this.#later);
  }

  #takeLater(later: Uint8Array[]): Uint8Array {
    const next = later[this.#taken]!;
    this.#laterLength -= next.length;
    later[this.#taken++] = NOTHING;
    if (this.#taken === later.length) this.#later = undefined;
    else if (this.#taken * 2 > later.length) this.#later = later.slice(this.#taken);
    else return next;
    this.#taken = 0;
    return next;
  }

  /** Removes all bytes not read yet and returns them, in memory of their own. */
  takeAll(): Uint8Array {
    if (this.length === 0) return new Uint8Array(0);
    const rest = concat([this.chunk.subarray(this.at), ...(this.#later ?? []).slice(this.#taken)]);
    this.#before += this.chunk.length + this.#laterLength;
    this.chunk = NOTHING;
    this.at = 0;
    this.#later = undefined;
    this.#laterLength = 0;
    this.#taken = 0;
    return rest;
  }
}
