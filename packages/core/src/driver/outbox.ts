// transport ← [outbox] ← serializer: what is written in one turn leaves in one write

import type { Sink } from "../serializer/sink.ts";
import type { Batch } from "../transports/batch.ts";

/** Buffers octets until they are handed to the transport. */
export class Outbox implements Sink {
  // Heads and small bodies are joined into one text: a single string write is the cheapest.
  #text = "";
  #pieces: (string | Uint8Array)[] | undefined;
  // The length of each piece when it was added: its owner may detach or resize it.
  #lengths: number[] | undefined;

  /** Bytes not yet handed over. */
  queued = 0;
  /** Bytes handed to the transport so far. */
  handed = 0;

  /** All bytes so far, handed over or not. */
  get total(): number {
    return this.handed + this.queued;
  }

  text(octets: string): void {
    this.#text += octets;
    this.queued += octets.length;
  }

  bytes(octets: Uint8Array): void {
    if (this.#text !== "") this.#push(this.#text);
    this.#text = "";
    this.#push(octets);
    this.queued += octets.length;
  }

  #push(piece: string | Uint8Array): void {
    this.#pieces ??= [];
    this.#lengths ??= [];
    this.#pieces.push(piece);
    this.#lengths.push(piece.length);
  }

  /** Every piece still has the length it was added with, which its head states (L10). */
  get isIntact(): boolean {
    const lengths = this.#lengths;
    if (lengths === undefined) return true;
    for (let i = 0; i < lengths.length; i++) {
      if (this.#pieces![i]!.length !== lengths[i]) return false;
    }
    return true;
  }

  /** Takes everything queued, to be handed over now. */
  take(): Batch {
    this.handed += this.queued;
    this.queued = 0;
    const text = this.#text;
    this.#text = "";
    const pieces = this.#pieces;
    if (pieces === undefined) return text;
    this.#pieces = undefined;
    this.#lengths = undefined;
    if (text !== "") pieces.push(text);
    return pieces;
  }
}
