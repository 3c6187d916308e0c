// driver → [incoming] → body: the driver's end of a message that is being received

import type { Framing } from "../framing.ts";
import type { Headers } from "../headers.ts";
import { concat } from "../octets.ts";
import { Deferred } from "./deferred.ts";

/** What a message being received asks of its connection. */
export interface BodyOwner {
  /** A reader waits for bytes that are not here. */
  bodyWanted(): void;
  /** Bytes were taken out of the queue. */
  bodyTaken(): void;
  /** The rest is not wanted. Resolves when it is known how it ended. */
  discardBody(): Promise<BodyDisposal>;
}

/** Learns that a reader waits for bytes that are not here: a client may wait for a 100. */
export interface BodyWanted {
  wantBody(): void;
}

/** How the rest of an unwanted body ended: read and thrown away, or with its connection. */
export type BodyDisposal = "drained" | "closed";

/** Why a reader gave up on a body, and the status that says so to the client. */
export interface Refusal {
  readonly error: unknown;
  readonly status: number;
}

type Read = IteratorResult<Uint8Array, undefined>;

const END: Read = Object.freeze({ done: true, value: undefined });

/**
 * One message while it is being received: a bounded queue between the driver, which pushes, and the
 * reader, which has a `Body`.
 */
export class Incoming {
  readonly framing: Framing;
  readonly #owner: BodyOwner;
  readonly #wanted: BodyWanted | undefined;
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
  /** The rest of the body is not worth reading. */
  isGivenUp = false;
  refusal: Refusal | undefined;

  constructor(framing: Framing, owner: BodyOwner, wanted?: BodyWanted) {
    this.framing = framing;
    this.#owner = owner;
    this.#wanted = wanted;
  }

  /** How many bytes there will be; undefined if only the end will tell. */
  get length(): number | undefined {
    const { framing } = this;
    if (framing.kind === "content-length") return framing.length;
    return framing.kind === "none" ? 0 : undefined;
  }

  /** The last byte of the message has come. */
  get isComplete(): boolean {
    return this.#received !== undefined;
  }

  /** Some of the body has come. */
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

  /** The message will not be completed. What is queued is still read before the error. */
  fail(error: unknown): void {
    this.#failure = error;
    this.#reader?.reject(error);
    this.#reader = undefined;
    this.#trailers?.reject(error);
  }

  /** What has come, and what comes from now on, is thrown away. */
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

  /** The next piece of the body. One call at a time. */
  next(): Promise<Read> {
    const chunk = this.#chunks?.shift();
    if (chunk !== undefined) {
      this.queuedBytes -= chunk.length;
      this.#owner.bodyTaken();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.isComplete || this.#isDiscarded) return Promise.resolve(END);
    this.#reader ??= new Deferred();
    const { promise } = this.#reader;
    this.#wanted?.wantBody();
    this.#owner.bodyWanted();
    return promise;
  }

  /** All of the body, which is complete. */
  takeAll(): Uint8Array {
    this.isRead = true;
    const all = concat(this.#chunks ?? []);
    this.#clear();
    this.#owner.bodyTaken();
    return all;
  }

  /** The reader does not want the rest. */
  cancel(): Promise<BodyDisposal> {
    this.isRead = true;
    if (this.isComplete) return Promise.resolve("drained");
    if (this.#failure !== undefined) return Promise.resolve("closed");
    this.discard();
    return this.#owner.discardBody();
  }

  /** The trailers, when the body has been read to its end; rejects if it never ends well. */
  get trailers(): Promise<Headers> {
    if (this.#trailers === undefined) {
      this.#trailers = new Deferred();
      if (this.#received !== undefined) this.#trailers.resolve(this.#received);
      else if (this.#failure !== undefined) this.#trailers.reject(this.#failure);
    }
    return this.#trailers.promise;
  }
}
