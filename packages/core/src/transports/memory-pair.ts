// bytes ↔ [memory pair] ↔ driver: two byte streams connected in memory, for tests

import { checkValue, SIZE } from "../base/options.ts";
import type { ByteStream } from "./byte-stream.ts";
import { Deferred } from "./deferred.ts";
import { Inbox } from "./inbox.ts";

/** How many bytes may be in flight before a write waits; about a small socket buffer. */
const HIGH_WATER_BYTES = 65_536;

/** One direction: one end writes it, the other reads it. */
class Lane {
  readonly inbox: Inbox;
  readonly #highWater: number;
  #unread = 0;
  #failure: unknown;
  #writers: Deferred<void>[] = [];

  constructor(highWater: number) {
    this.#highWater = highWater;
    this.inbox = new Inbox((length) => this.#taken(length));
  }

  async write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.inbox.isEnded) throw new Error("write after end");
    for (const chunk of chunks) {
      if (chunk.length === 0) continue;
      this.#unread += chunk.length;
      // The writer may reuse its memory.
      this.inbox.push(new Uint8Array(chunk));
    }
    if (this.#unread < this.#highWater) return;
    const writer = new Deferred<void>();
    this.#writers.push(writer);
    await writer.promise;
  }

  fail(reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.inbox.fail(reason);
    for (const writer of this.#writers) writer.reject(reason);
    this.#writers = [];
  }

  #taken(length: number): void {
    this.#unread -= length;
    if (this.#unread >= this.#highWater) return;
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
    return this.#incoming.inbox.read();
  }

  cancelRead(): boolean {
    return this.#incoming.inbox.cancelRead();
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    return this.#outgoing.write(chunks);
  }

  async closeWrite(): Promise<void> {
    this.#outgoing.inbox.end();
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
