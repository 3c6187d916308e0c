// bytes ↔ [transport] ↔ driver: what the driver needs from every io, without promises

import type { Batch } from "./batch.ts";

/** What a transport reports to the driver. */
export interface TransportEvents {
  /** The io is connected (and secure): queued output may be written. */
  opened(): void;
  data(bytes: Uint8Array): void;
  /** The peer has ended its side. */
  ended(): void;
  /** Some of what was written was accepted. */
  accepted(): void;
  /** A withdrawn read ended without bytes. */
  withdrawn(): void;
  /** The io is gone: an error, a reset, or destroyed by other code. Called once. */
  gone(reason: unknown): void;
}

/** An io as the driver uses it. */
export interface Transport {
  readonly isOpen: boolean;
  /** Bytes written but not yet accepted. */
  readonly unacceptedBytes: number;
  /**
   * Like {@link unacceptedBytes}, minus what has already left of a write not yet accepted in full.
   * Read when a deadline passes, not for each write.
   */
  readonly unsentBytes: number;
  /** A read is unsettled, perhaps withdrawn: it may still deliver bytes. */
  readonly isReading: boolean;
  /** The pending read can never be withdrawn; only the peer can end it. Default false. */
  readonly isStuck?: boolean;
  /**
   * Starts listening, also for failures. If the io has already ended or failed, that is reported
   * before this returns, or soon after.
   */
  attach(events: TransportEvents): void;
  /** Starts reading. */
  resume(): void;
  /** Stops reading. Returns false if the pending read cannot be withdrawn. */
  pause(): boolean;
  /**
   * Withdraws the pending read, so that it delivers nothing to us. Returns false, with no effect, if
   * it cannot be withdrawn, or if it may already hold bytes and `late` ones are not wanted.
   */
  withdraw(late: boolean): boolean;
  /** Resolves with the bytes that withdrawn reads still deliver. Call it right after {@link release}. */
  late(): Promise<Uint8Array>;
  write(batch: Batch): void;
  /** Ends our side after everything written. */
  closeWrite(): void;
  /** Ends both sides at once; the peer sees a failure. */
  abort(reason: unknown): void;
  /** Closes the io after a finished conversation; `gone` reports when it is closed. */
  destroy(): void;
  /** Removes our listeners, timers and locks. Nothing is written or closed. */
  release(): void;
}
