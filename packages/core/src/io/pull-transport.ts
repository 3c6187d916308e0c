// bytes ↔ [pull transport] ↔ driver: a ByteStream, driven

import { asBytes, concat } from "../octets.ts";
import type { ByteStream } from "./byte-stream.ts";
import { called, Deferred, handled, isThenable } from "./deferred.ts";
import { type Batch, joined } from "./outbox.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** A ByteStream made of something else, on which it may hold locks that the next owner needs free. */
export interface Lockable extends ByteStream {
  /** A read that `cancelRead` withdraws may bring its bytes all the same, and nobody can tell now. */
  readonly withdrawsInDoubt?: boolean;
  /** `cancelRead` has shown that it never withdraws one. */
  readonly keepsReads?: boolean;
  releaseLocks?(): void;
  /** Both sides have ended: lets go of what it is made of, where the ends alone do not. */
  closeEnded?(): void;
}

/** Turns calls that return promises into a transport's events. */
export class PullTransport implements Transport {
  readonly #stream: Lockable;
  #events!: TransportEvents;
  #wanted = false;
  #readPending = false;
  // A withdrawn read may have its bytes already, on their way through the microtasks.
  #unsettledReads = 0;
  #withdrawals = 0;
  // cancelRead() threw, or gave no boolean.
  #cancelFailed = false;
  // What withdrawn reads bring behind the release: nobody's but the next owner's.
  #late: { readonly chunks: Uint8Array[]; readonly all: Deferred<Uint8Array> } | undefined;
  #endRead = false;
  #endAccepted = false;
  #destroying = false;
  #released = false;

  readonly isOpen = true;
  unacceptedBytes = 0;

  get unsentBytes(): number {
    return this.unacceptedBytes;
  }

  constructor(stream: Lockable) {
    this.#stream = stream;
  }

  attach(events: TransportEvents): void {
    this.#events = events;
    called(() => this.#whenGone()).catch(this.#fail);
  }

  // One that cannot tell when it is gone, and says that it can, has failed.
  #whenGone(): void {
    const { gone } = this.#stream;
    if (isThenable(gone)) Promise.resolve(gone).then(this.#fail, this.#fail);
    else if (gone !== undefined && gone !== null) {
      throw new TypeError(`gone is a ${typeof gone}, not a promise`);
    }
  }

  get isReading(): boolean {
    return this.#unsettledReads > 0;
  }

  get isStuck(): boolean {
    const { cancelRead, keepsReads } = this.#stream;
    const isKept = cancelRead === undefined || keepsReads === true || this.#cancelFailed;
    return this.#readPending && isKept;
  }

  resume(): void {
    this.#wanted = true;
    if (this.#readPending || this.#released || this.#endRead) return;
    this.#readPending = true;
    this.#unsettledReads++;
    const before = this.#withdrawals;
    called(() => this.#stream.read()).then(
      (chunk) => {
        this.#settleRead(before);
        if (this.#released) this.#settleLate(asBytes(chunk));
        else this.#onRead(chunk);
      },
      (reason) => {
        const isLive = this.#settleRead(before);
        if (this.#released) this.#settleLate(undefined);
        else if (isLive) this.#fail(reason);
        else this.#events.withdrawn();
      },
    );
  }

  // False: it was withdrawn before it settled.
  #settleRead(before: number): boolean {
    this.#unsettledReads--;
    if (before !== this.#withdrawals) return false;
    this.#readPending = false;
    return true;
  }

  #onRead(chunk: Uint8Array | null): void {
    if (this.#endRead) return;
    const bytes = asBytes(chunk);
    if (chunk === null) {
      this.#endRead = true;
      this.#events.ended();
    } else if (bytes !== undefined) {
      this.#events.data(bytes);
      if (this.#wanted) this.resume();
    } else {
      this.#fail(new TypeError(`read() gave a ${typeof chunk}, not a Uint8Array`));
    }
  }

  pause(): boolean {
    this.#wanted = false;
    if (!this.#readPending) return true;
    if (!this.#cancelRead()) return false;
    this.#withdrawals++;
    this.#readPending = false;
    return true;
  }

  withdraw(late: boolean): boolean {
    const inDoubt = this.isReading && this.#stream.withdrawsInDoubt === true;
    return (late || !inDoubt) && this.pause();
  }

  late(): Promise<Uint8Array> {
    this.#late = { chunks: [], all: new Deferred() };
    this.#settleLate(undefined);
    return this.#late.all.promise;
  }

  // Where there is no doubt nothing is awaited: a promise that was called back may never settle.
  #settleLate(bytes: Uint8Array | undefined): void {
    if (bytes !== undefined) this.#late?.chunks.push(bytes);
    if (this.isReading && this.#stream.withdrawsInDoubt === true) return;
    this.#late?.all.resolve(concat(this.#late.chunks));
  }

  #cancelRead(): boolean {
    if (this.#stream.cancelRead === undefined) return false;
    let isCancelled: unknown;
    try {
      isCancelled = this.#stream.cancelRead();
    } catch {
      isCancelled = undefined;
    }
    // What it promises comes too late.
    if (isThenable(isCancelled)) handled(Promise.resolve(isCancelled));
    this.#cancelFailed = typeof isCancelled !== "boolean";
    return isCancelled === true;
  }

  write(batch: Batch): void {
    // One chunk: what was said in one turn leaves in one write. It throws for bytes that were taken
    // away since they were said.
    let chunk: Uint8Array;
    try {
      chunk = joined(batch);
    } catch (reason) {
      Promise.reject(reason).catch(this.#fail);
      return;
    }
    const { length } = chunk;
    this.unacceptedBytes += length;
    called(() => this.#stream.write([chunk])).then(() => {
      this.unacceptedBytes -= length;
      if (!this.#released) this.#events.accepted();
    }, this.#fail);
  }

  readonly #fail = (reason: unknown): void => {
    if (!this.#released) this.#events.gone(reason);
  };

  closeWrite(): void {
    called(() => this.#stream.closeWrite()).then(() => {
      this.#endAccepted = true;
      this.#destroyIfEnded();
    }, this.#fail);
  }

  abort(reason: unknown): void {
    if (this.#released) return;
    this.#released = true;
    // It is given up whatever becomes of that, and whoever waits is told.
    handled(called(() => this.#stream.abort(reason)));
  }

  destroy(): void {
    this.#destroying = true;
    this.#destroyIfEnded();
  }

  // Where both sides have ended there is nothing to give up, and the peer may still be reading.
  #destroyIfEnded(): void {
    if (!this.#destroying || this.#released || !this.#endRead || !this.#endAccepted) return;
    this.release();
    this.#stream.closeEnded?.();
    this.#events.gone(undefined);
  }

  release(): void {
    this.#released = true;
    this.#stream.releaseLocks?.();
  }
}
