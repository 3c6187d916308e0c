import type { ByteStream } from "@upgrade/core/io";

/** An endless input: a beginning, followed by endless repetition. */
export interface FloodOptions {
  /** Sent once, first. */
  readonly first?: string;
  /** Sent after it, repeatedly, as long as it is read. */
  readonly endless: string;
  /** False: accepts no writes. Default true. */
  readonly reads?: boolean;
}

const PIECE_BYTES = 16_384;
// A reader of this much would read forever.
const ENOUGH_BYTES = 16 * 1_048_576;

/** A peer that sends endlessly, as fast as it is read, and counts the bytes. */
export class Flood implements ByteStream {
  /** How many bytes were read from it. */
  delivered = 0;
  /** What was written to it. */
  received = "";
  /** How many bytes were written to it, accepted or not. */
  written = 0;
  /** It was aborted: the peer of a socket would see a reset. */
  isAborted = false;
  /** Its peer has ended its side. */
  hasEnded = false;
  readonly #endless: Uint8Array;
  readonly #accepts: boolean;
  #next: Uint8Array;
  #reading: ((chunk: Uint8Array) => void) | undefined;
  #open = false;

  constructor({ first = "", endless, reads = true }: FloodOptions) {
    const times = Math.ceil(PIECE_BYTES / endless.length);
    this.#endless = Buffer.from(endless.repeat(times), "latin1");
    this.#next = first === "" ? this.#endless : Buffer.from(first, "latin1");
    this.#accepts = reads;
  }

  /** How many bytes it sends at once. */
  get piece(): number {
    return this.#endless.length;
  }

  /** Starts sending. */
  open(): void {
    this.#open = true;
    this.#serve();
  }

  read(): Promise<Uint8Array | null> {
    return new Promise((resolve) => {
      this.#reading = resolve;
      this.#serve();
    });
  }

  cancelRead(): boolean {
    this.#reading = undefined;
    return true;
  }

  #serve(): void {
    const { delivered } = this;
    if (!this.#open || this.isAborted || delivered >= ENOUGH_BYTES) return;
    // In a later turn, as from a socket, so that a flood does not starve other work.
    setImmediate(() => {
      const give = this.#reading;
      this.#reading = undefined;
      if (give === undefined || this.isAborted) return;
      const chunk = this.#next;
      this.#next = this.#endless;
      this.delivered += chunk.length;
      give(chunk);
    });
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    for (const chunk of chunks) {
      this.written += chunk.length;
      if (this.#accepts && this.received.length < PIECE_BYTES)
        this.received += Buffer.from(chunk).toString("latin1");
    }
    return this.#accepts ? Promise.resolve() : new Promise(() => {});
  }

  async closeWrite(): Promise<void> {
    this.hasEnded = true;
  }

  abort(): void {
    this.isAborted = true;
  }
}
