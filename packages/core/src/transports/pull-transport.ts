// bytes ↔ [pull transport] ↔ driver: adapts a ByteStream to a Transport

import { asBytes, concat } from "../base/octets.ts";
import { type Batch, joined } from "./batch.ts";
import type { ByteStream } from "./byte-stream.ts";
import { Deferred, handled, invoke, isThenable } from "./deferred.ts";
import type { Transport, TransportEvents } from "./transport.ts";

/** A ByteStream over another io, on which it may hold locks that the next owner needs released. */
export interface Lockable extends ByteStream {
  /** A read withdrawn by `cancelRead` may still deliver bytes; there is no way to know in advance. */
  readonly withdrawsInDoubt?: boolean;
  /** `cancelRead` was found never to withdraw a read. */
  readonly keepsReads?: boolean;
  releaseLocks?(): void;
  /** Both sides have ended: closes the underlying io, if the ends alone do not. */
  closeEnded?(): void;
}

/** Turns calls that return promises into a transport's events. */
export class PullTransport implements Transport {
  readonly #stream: Lockable;
  #events!: TransportEvents;
  #wanted = false;
  #readPending = false;
  // Includes withdrawn reads, whose bytes may already be on their way through the microtasks.
  #unsettledReads = 0;
  #withdrawals = 0;
  // cancelRead() threw or did not return a boolean.
  #cancelFailed = false;
  // What withdrawn reads deliver after the release belongs to the next owner.
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
    invoke(() => this.#whenGone()).catch(this.#fail);
  }

  // An invalid `gone` counts as a failure.
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
    invoke(() => this.#stream.read()).then(
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

  // Returns false if the read was withdrawn before it settled.
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
      this.#fail(new TypeError(`read() returned a ${typeof chunk}, not a Uint8Array`));
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

  // Waits only if in doubt: the promise of a read withdrawn for certain may never settle.
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
    // A promise comes too late.
    if (isThenable(isCancelled)) handled(Promise.resolve(isCancelled));
    this.#cancelFailed = typeof isCancelled !== "boolean";
    return isCancelled === true;
  }

  write(batch: Batch): void {
    // One chunk per turn. joined() throws for bytes detached since they were queued.
    let chunk: Uint8Array;
    try {
      chunk = joined(batch);
    } catch (reason) {
      Promise.reject(reason).catch(this.#fail);
      return;
    }
    const { length } = chunk;
    this.unacceptedBytes += length;
    invoke(() => this.#stream.write([chunk])).then(() => {
      this.unacceptedBytes -= length;
      if (!this.#released) this.#events.accepted();
      this.#destroyIfEnded();
    }, this.#fail);
  }

  readonly #fail = (reason: unknown): void => {
    if (!this.#released) this.#events.gone(reason);
  };

  closeWrite(): void {
    invoke(() => this.#stream.closeWrite()).then(() => {
      this.#endAccepted = true;
      this.#destroyIfEnded();
    }, this.#fail);
  }

  abort(reason: unknown): void {
    if (this.#released) return;
    this.#released = true;
    // The io is released whether or not abort() succeeds.
    handled(invoke(() => this.#stream.abort(reason)));
  }

  destroy(): void {
    this.#destroying = true;
    this.#destroyIfEnded();
  }

  // Not aborted once both sides have ended: the peer may still be reading. A stream may settle the
  // end before its last write.
  #destroyIfEnded(): void {
    if (!this.#destroying || this.#released || !this.#endRead || !this.#endAccepted) return;
    if (this.unacceptedBytes > 0) return;
    this.release();
    this.#stream.closeEnded?.();
    this.#events.gone(undefined);
  }

  release(): void {
    this.#released = true;
    this.#stream.releaseLocks?.();
  }
}
