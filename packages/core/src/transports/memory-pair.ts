// bytes ↔ [memory pair] ↔ driver: two byte streams connected in memory, for tests

import { checkValue, SIZE } from "../base/options.ts";
import type { ByteStream } from "./byte-stream.ts";
import { Deferred } from "./deferred.ts";

/** How many bytes may be in flight before a write waits; about a small socket buffer. */
const HIGH_WATER_BYTES = 65_536;

/** One direction: one end writes it, the other reads it. */
class Lane {
  readonly #chunks: Uint8Array[] = [];
  #length = 0;
  #ended = false;
  #failure: unknown;
  #reader: Deferred<Uint8Array | null> | undefined;
  // A read has resolved, but its caller has not run yet: its bytes cannot be withdrawn.
  #isDelivering = false;
  #writers: Deferred<void>[] = [];
  readonly #highWater: number;

  constructor(highWater: number) {
    this.#highWater = highWater;
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

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) throw new Error("write after end");
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      // The writer may reuse its memory.
      this.#chunks.push(chunk.slice());
      this.#length += chunk.length;
    }
    this.#serve();
    if (this.#length < this.#highWater) return;
    const writer = new Deferred<void>();
    this.#writers.push(writer);
    await writer.promise;
  }

  end(): void {
    this.#ended = true;
    this.#serve();
  }

  fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.#chunks.length = 0;
    this.#reader?.reject(reason);
    this.#reader = undefined;
    for (const writer of this.#writers) writer.reject(reason);
    this.#writers = [];
  }

  #serve(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#length -= chunk.length;
      reader.resolve(chunk);
    } else if (this.#failure !== undefined) reader.reject(this.#failure);
    else if (this.#ended) reader.resolve(null);
    else return;
    this.#reader = undefined;
    this.#isDelivering = true;
    if (this.#length >= this.#highWater) return;
    for (const writer of this.#writers) writer.resolve();
    this.#writers = [];
  }
}

class MemoryEnd implements ByteStream {
  readonly #incoming: Lane;
  readonly #outgoing: Lane;
  readonly #gone: Deferred<unknown>;
  readonly #peerGone: Deferred<unknown>;

  constructor(
    incoming: Lane,
    outgoing: Lane,
    gone: Deferred<unknown>,
    peerGone: Deferred<unknown>,
  ) {
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#gone = gone;
    this.#peerGone = peerGone;
  }

  get gone(): Promise<unknown> {
    return this.#gone.promise;
  }

  read(): Promise<Uint8Array | null> {
    return this.#incoming.read();
  }

  cancelRead(): boolean {
    return this.#incoming.cancelRead();
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#outgoing.write(chunks);
  }

  async closeWrite(): Promise<void> {
    this.#outgoing.end();
  }

  abort(reason: unknown): void {
    const failure = new Error("aborted", { cause: reason });
    this.#incoming.fail(failure);
    this.#outgoing.fail(failure);
    this.#peerGone.resolve(failure);
  }
}

/**
 * Creates two connected byte streams: each reads what the other writes, asynchronously, chunk by
 * chunk.
 *
 * @param highWaterBytes How many bytes may be in flight before a write waits. Default 65,536.
 * @throws {LocalProtocolError} `INVALID_OPTION`: not a number of bytes.
 */
export function memoryPair(highWaterBytes = HIGH_WATER_BYTES): [ByteStream, ByteStream] {
  checkValue("highWaterBytes", highWaterBytes, SIZE);
  const there = new Lane(highWaterBytes);
  const back = new Lane(highWaterBytes);
  const goneA = new Deferred<unknown>();
  const goneB = new Deferred<unknown>();
  return [new MemoryEnd(back, there, goneA, goneB), new MemoryEnd(there, back, goneB, goneA)];
}
