// what arrives → [inbox] → read(): bytes wait here until a byte stream is read

import { Deferred } from "./deferred.ts";

/** The reading half of a byte stream. */
export class Inbox {
  readonly #chunks: Uint8Array[] = [];
  readonly #taken: (length: number) => void;
  #isEnded = false;
  #failure: unknown;
  #reader: Deferred<Uint8Array | null> | undefined;
  // A read has resolved, but its caller has not run yet: its bytes cannot be withdrawn.
  #isDelivering = false;

  /** @param taken Called with the length of each chunk that is read. */
  constructor(taken: (length: number) => void) {
    this.#taken = taken;
  }

  /** A read waits for bytes. */
  get isWanted(): boolean {
    return this.#reader !== undefined;
  }

  /** Nothing arrives any more. */
  get isEnded(): boolean {
    return this.#isEnded;
  }

  read(): Promise<Uint8Array | null> {
    if (this.#reader !== undefined || this.#isDelivering) {
      return Promise.reject(new Error("a read is pending"));
    }
    const reader = new Deferred<Uint8Array | null>();
    const delivered = (): void => {
      this.#isDelivering = false;
    };
    // Runs immediately before the caller's own reaction.
    reader.promise.then(delivered, delivered);
    this.#reader = reader;
    this.#serve();
    return reader.promise;
  }

  cancelRead(): boolean {
    if (this.#isDelivering) return false;
    this.#reader?.reject(new Error("the read was withdrawn"));
    this.#reader = undefined;
    return true;
  }

  /** Keeps the chunk, and does not copy it. It must not be empty. */
  push(chunk: Uint8Array): void {
    this.#chunks.push(chunk);
    this.#serve();
  }

  end(): void {
    this.#isEnded = true;
    this.#serve();
  }

  /** Discards what has not been read: every read rejects from now on. */
  fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#chunks.length = 0;
    this.#reader?.reject(reason);
    this.#reader = undefined;
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) reader.resolve(chunk);
    else if (this.#failure !== undefined) reader.reject(this.#failure);
    else if (this.#isEnded) reader.resolve(null);
    else return;
    this.#reader = undefined;
    this.#isDelivering = true;
    if (chunk !== undefined) this.#taken(chunk.length);
  }
}
