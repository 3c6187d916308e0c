// driver → [incoming] → body: the driver's end of a message being received

import { concat } from "../base/octets.ts";
import { type Framing, knownLength } from "../message/framing.ts";
import type { Headers } from "../message/headers.ts";
import { Deferred } from "../transports/deferred.ts";

/** How the rest of an unwanted body ended: drained, or with its connection. */
export type BodyDisposal = "drained" | "closed";

/** Why a reader rejected a body, and the status for the client. */
export interface Rejection {
  readonly error: unknown;
  readonly status: number;
}

/** What a reader gets. */
export type Read = IteratorResult<Uint8Array, undefined>;

export const END: Read = Object.freeze({ done: true, value: undefined });

/**
 * A message being received: a bounded queue between the driver, which pushes, and the reader, which
 * has a `Body`.
 */
export class Incoming {
  readonly framing: Framing;
  #chunks: Uint8Array[] | undefined;
  #received: Headers | undefined;
  #failure: unknown;
  #isDiscarded = false;
  #hasBegun = false;
  #reader: Deferred<Read> | undefined;
  #trailers: Deferred<Headers> | undefined;

  /** Bytes in the queue. */
  queuedBytes = 0;
  /** The body has, or had, a reader. */
  isRead = false;
  /** The rest of the body will not be read. */
  isAbandoned = false;
  rejection: Rejection | undefined;

  constructor(framing: Framing) {
    this.framing = framing;
  }

  /** The length of the body; undefined if not known in advance. */
  get length(): number | undefined {
    return knownLength(this.framing);
  }

  /** The last byte of the message has arrived. */
  get isComplete(): boolean {
    return this.#received !== undefined;
  }

  /** Some of the body has arrived. */
  get hasBegun(): boolean {
    return this.#hasBegun || this.isComplete;
  }

  push(chunk: Uint8Array): void {
    this.#hasBegun = true;
    const reader = this.#reader;
    if (reader !== undefined) {
      this.#reader = undefined;
      reader.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks ??= [];
    this.#chunks.push(chunk);
    this.queuedBytes += chunk.length;
  }

  end(trailers: Headers): void {
    this.#received = trailers;
    this.#endReader();
    this.#trailers?.resolve(trailers);
  }

  /** The message will not be completed. The reader gets what is queued, then the error. */
  fail(error: unknown): void {
    this.#failure = error;
    this.#reader?.reject(error);
    this.#reader = undefined;
    this.#trailers?.reject(error);
  }

  /** Discards what is queued and ends the reader. */
  discard(): void {
    this.#isDiscarded = true;
    this.#clear();
    this.#endReader();
  }

  #endReader(): void {
    this.#reader?.resolve(END);
    this.#reader = undefined;
  }

  #clear(): void {
    this.#chunks = undefined;
    this.queuedBytes = 0;
  }

  /** The next chunk, if there is one. */
  take(): Uint8Array | undefined {
    const chunk = this.#chunks?.shift();
    if (chunk !== undefined) this.queuedBytes -= chunk.length;
    return chunk;
  }

  /** All chunks, as one. */
  takeAll(): Uint8Array {
    const all = concat(this.#chunks ?? []);
    this.#clear();
    return all;
  }

  /** The body has failed: no more chunks will be queued. */
  get failure(): unknown {
    return this.#failure;
  }

  /** The reader does not want the rest, or all of it has arrived. */
  get isOver(): boolean {
    return this.isComplete || this.#isDiscarded;
  }

  /** The chunk that arrives next. One call at a time. */
  next(): Promise<Read> {
    this.#reader ??= new Deferred();
    return this.#reader.promise;
  }

  /** Resolves with the trailers when the message is complete; rejects if it fails. */
  get trailers(): Promise<Headers> {
    if (this.#trailers === undefined) {
      this.#trailers = new Deferred();
      if (this.#received !== undefined) this.#trailers.resolve(this.#received);
      else if (this.#failure !== undefined) this.#trailers.reject(this.#failure);
    }
    return this.#trailers.promise;
  }
}
