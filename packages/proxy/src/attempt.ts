// request → [attempt] → upstream: one signal for the client's end and for our deadlines

import { type ConnectionCode, ConnectionError, UpgradeError } from "@upgrade/core";
import { abortIo, type Clock, type Io, listen, type SignalLike } from "@upgrade/core/io";
import { type Aborter, newAborter, type Signal } from "./platform-types.ts";

/** What a `dial` returns. */
type Dialed = Io | PromiseLike<Io>;

/** An attempt to have a request answered. */
export class Attempt {
  readonly #aborter: Aborter = newAborter();
  readonly #clock: Clock;
  #timer: { readonly handle: unknown } | undefined;
  #isOver = false;

  /** @param client Aborts when the client is gone. */
  constructor(client: Signal, clock: Clock) {
    this.#clock = clock;
    listen(client as SignalLike, (reason) => this.#abort(reason));
  }

  /** Aborts when the client is gone, or a deadline passes. */
  get signal(): Signal & SignalLike {
    return this.#aborter.signal as Signal & SignalLike;
  }

  /** Replaces the deadline. 0 ms means none. */
  limit(ms: number, code: ConnectionCode, context: string): void {
    this.#stopTimer();
    if (this.#isOver || ms === 0) return;
    const late = (): void => this.#abort(new ConnectionError(code, context));
    this.#timer = { handle: this.#clock.setTimer(ms, late) };
  }

  /** No deadline counts any more; the client's end still does. */
  stop(): void {
    this.#isOver = true;
    this.#stopTimer();
  }

  /** Waits for an io. One that comes too late is aborted. Throws as {@link awaited}. */
  dialed(dial: () => Dialed): Promise<Io> {
    return this.awaited("dial", dial, (io, reason) => abortIo(io, reason));
  }

  /**
   * Waits for what a callback promises until this attempt is aborted.
   *
   * @param discard Gets what comes later.
   * @throws {ConnectionError} `CANCELED` with the reason; what the callback threw, or
   *   `TRANSPORT_FAILED` with it as its cause.
   */
  awaited<T>(
    name: string,
    call: () => T | PromiseLike<T>,
    discard: (late: T, reason: ConnectionError) => void = () => {},
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      let canceled: ConnectionError | undefined;
      const stop = listen(this.signal, (cause) => {
        canceled = new ConnectionError("CANCELED", name, { cause, sent: "nothing" });
        reject(canceled);
      });
      if (canceled !== undefined) return;
      new Promise<T>((settle) => settle(call())).then(
        (value) => {
          stop();
          if (canceled === undefined) resolve(value);
          else discard(value, canceled);
        },
        (error: unknown) => {
          stop();
          reject(callFailed(name, error));
        },
      );
    });
  }

  #abort(reason: unknown): void {
    this.stop();
    this.#aborter.abort(reason);
  }

  #stopTimer(): void {
    if (this.#timer !== undefined) this.#clock.clearTimer(this.#timer.handle);
    this.#timer = undefined;
  }
}

function callFailed(name: string, cause: unknown): UpgradeError {
  if (cause instanceof UpgradeError) return cause;
  const context = cause instanceof Error ? cause.message : name;
  return new ConnectionError("TRANSPORT_FAILED", context, { cause, sent: "nothing" });
}

/** Calls what may fail while no one else owns the io, which is then aborted. */
export function orAborted<T>(io: Io, call: () => T): T {
  try {
    return call();
  } catch (error) {
    abortIo(io, error);
    throw error;
  }
}
