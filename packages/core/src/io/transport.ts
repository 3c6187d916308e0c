// bytes ↔ [transport] ↔ driver: what the driver asks of every io, without promises on the way

import type { Batch } from "./outbox.ts";

/** What a transport tells the driver. */
export interface TransportEvents {
  /** It is connected (and secure): what was said may be written. */
  opened(): void;
  data(bytes: Uint8Array): void;
  /** The peer has ended its side. */
  ended(): void;
  /** Some of what was written was accepted. */
  accepted(): void;
  /** A read that was withdrawn has brought nothing after all. */
  withdrawn(): void;
  /** It is gone: an error, a reset, destroyed by somebody else. Told once. */
  gone(reason: unknown): void;
}

/** One io, in the driver's hands. */
export interface Transport {
  readonly isOpen: boolean;
  /** Bytes that were written and not accepted yet. */
  readonly unacceptedBytes: number;
  /**
   * As {@link unacceptedBytes}, and less if some of a write that is not accepted as a whole has left
   * already. Asked for when a deadline has passed, not for each write.
   */
  readonly unsentBytes: number;
  /** A read is on its way, perhaps withdrawn already: it may still bring bytes. */
  readonly isReading: boolean;
  /** A read is pending that can never be withdrawn: only the peer ends it. Default false. */
  readonly isStuck?: boolean;
  /**
   * Starts to listen; from here on a failure has a listener. Of an io that has ended or failed by now
   * that is told before this returns, or soon.
   */
  attach(events: TransportEvents): void;
  /** More bytes are wanted. */
  resume(): void;
  /** No more bytes are wanted. False: a read is pending that cannot be withdrawn. */
  pause(): boolean;
  /**
   * Withdraws a pending read, so that it brings nothing to us any more. False, and nothing has changed: it
   * cannot be, or it may have its bytes already and `late` ones are not wanted.
   */
  withdraw(late: boolean): boolean;
  /** What a withdrawn read has brought after all, when it is over. To be asked for at the release. */
  late(): Promise<Uint8Array>;
  write(batch: Batch): void;
  /** Ends our side, behind everything written. */
  closeWrite(): void;
  /** Ends both sides at once, so that the peer sees a failure. */
  abort(reason: unknown): void;
  /** Lets the io go down behind a finished conversation; `gone` tells when it is. */
  destroy(): void;
  /** Lets go: no listener, no timer, no lock of ours is left. Nothing is written or closed. */
  release(): void;
}
