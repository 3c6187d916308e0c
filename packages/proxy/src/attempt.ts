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

  /**
   * Waits for an io until this attempt is aborted. One that arrives later is aborted.
   *
   * @throws {ConnectionError} `CANCELED` with the reason; what `dial` threw, or `TRANSPORT_FAILED`
   *   with it as its cause.
   */
  dialed(dial: () => Dialed): Promise<Io> {
    return new Promise((resolve, reject) => {
      let canceled: ConnectionError | undefined;
      const stop = listen(this.signal, (cause) => {
        canceled = new ConnectionError("CANCELED", "dial", { cause, sent: "nothing" });
        reject(canceled);
      });
      if (canceled !== undefined) return;
      new Promise<Io>((settle) => settle(dial())).then(
        (io) => {
          stop();
          if (canceled === undefined) resolve(io);
          else abortIo(io, canceled);
        },
        (error: unknown) => {
          stop();
          reject(dialFailed(error));
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

function dialFailed(cause: unknown): UpgradeError {
  if (cause instanceof UpgradeError) return cause;
  const context = cause instanceof Error ? cause.message : "dial";
  return new ConnectionError("TRANSPORT_FAILED", context, { cause, sent: "nothing" });
}
