// transport ← [outbox] ← serializer: what was said in one turn leaves in one write

import { concat, textToLatin1 } from "../octets.ts";
import type { Sink } from "../serializer/sink.ts";

/** What goes to a transport: one text (an octet a character), or pieces in order. */
export type Batch = string | readonly (string | Uint8Array)[];

/** A batch in one piece, in memory of its own. */
export function joined(batch: Batch): Uint8Array {
  const pieces = typeof batch === "string" ? [batch] : batch;
  return concat(pieces.map((piece) => (typeof piece === "string" ? textToLatin1(piece) : piece)));
}

/** Collects octets until they are handed to the transport. */
export class Outbox implements Sink {
  // Heads and small bodies join in one text: one string write is the cheapest write there is.
  #text = "";
  #pieces: (string | Uint8Array)[] | undefined;
  // How long each piece was when it was said: bytes can be detached or resized by their owner.
  #lengths: number[] | undefined;

  /** Bytes collected and not handed over. */
  queued = 0;
  /** Bytes handed to the transport, since the connection began. */
  handed = 0;

  /** All bytes said so far, handed over or not. */
  get said(): number {
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

  /** Every piece is as long as its head says (L10). */
  get isIntact(): boolean {
    const lengths = this.#lengths;
    if (lengths === undefined) return true;
    for (let i = 0; i < lengths.length; i++) {
      if (this.#pieces![i]!.length !== lengths[i]) return false;
    }
    return true;
  }

  /** Everything collected, to be handed over now. */
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
