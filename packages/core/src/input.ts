// bytes → [input] → parser: what was received and not read yet, chunk by chunk

import { concat } from "./octets.ts";

const NOTHING = new Uint8Array(0);

/** A queue of received chunks with a place in the first. Nothing is copied until it is taken out. */
export class Input {
  /** The chunk that is being read. */
  chunk: Uint8Array = NOTHING;
  /** Where in it. */
  at = 0;
  /** How many bytes were read before this chunk. */
  #before = 0;
  #later: Uint8Array[] | undefined;
  #laterLength = 0;
  // How many of the later chunks have had their turn: taking them off one by one would move the
  // others each time.
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

  /** `length` bytes of the chunk were read. */
  advance(length: number): void {
    this.at += length;
    if (this.at < this.chunk.length) return;
    this.#before += this.chunk.length;
    this.at = 0;
    // An idle connection must not hold the 64 KiB its last 13 bytes came in.
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

  /** All bytes not read yet, in memory of their own; the queue is empty afterwards. */
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
