// connection ← [sending] ← application: a body behind its head, whole or as it comes

import { LocalProtocolError, UpgradeError } from "../errors.ts";
import { Headers, type HeadersInit } from "../headers.ts";
import { type BodySource, toOctets } from "./body-source.ts";
import type { Driver } from "./driver.ts";

/** Trailers to be sent: known, or known when the body has ended. */
export type TrailersInit =
  | HeadersInit
  | Promise<HeadersInit | undefined>
  | (() => HeadersInit | Promise<HeadersInit | undefined> | undefined);

type Pieces = NonNullable<BodySource["pieces"]>;

/** A body on its way out, piece by piece, which may be stopped when nobody wants it any more. */
export class Upload {
  /** Rejects, with `BODY_FAILED` if the body itself threw. */
  readonly done: Promise<void>;
  #isStopped = false;
  /** What makes the body, while there is more of it. */
  #maker: AsyncIterator<unknown> | undefined;

  constructor(driver: Driver, source: BodySource, trailers: TrailersInit | undefined) {
    this.done = this.#send(driver, source, trailers);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** Nobody wants the rest: whoever makes it is told, even while a piece is awaited. */
  stop(): void {
    this.#isStopped = true;
    this.#leave();
  }

  #leave(): void {
    leave(this.#maker);
    this.#maker = undefined;
  }

  async #send(driver: Driver, source: BodySource, trailers?: TrailersInit): Promise<void> {
    const isOver = (): boolean => this.#isStopped || !driver.isLive;
    if (source.whole !== undefined) driver.say({ type: "data", bytes: source.whole });
    try {
      if (source.pieces !== undefined) await this.#sendPieces(driver, source.pieces, isOver);
      if (isOver()) return;
      const late = isLate(trailers) ? await blamed(() => resolved(trailers)) : trailers;
      if (!isOver()) driver.say({ type: "end-of-message", trailers: late });
    } catch (error) {
      // What a body throws because it was stopped is no news.
      if (!isOver()) throw error instanceof UpgradeError ? error : bodyFailed(error);
    } finally {
      // Left early: whoever makes the bytes is told that nobody wants them.
      this.#leave();
    }
  }

  async #sendPieces(driver: Driver, pieces: Pieces, isOver: () => boolean): Promise<void> {
    const iterator = await blamed(pieces);
    this.#maker = iterator;
    for (;;) {
      const { done, value } = await blamed(() => iterator.next());
      if (done === true) this.#maker = undefined;
      else if (!isOver()) driver.say({ type: "data", bytes: toOctets(value) });
      if (driver.writing.isPressed) await driver.writing.writable();
      if (done === true || isOver()) return;
    }
  }
}

/** A body that is not sent at all: whoever would have made it is told. */
export function abandon(source: BodySource): void {
  try {
    leave(source.pieces?.());
  } catch {
    // It could not even begin.
  }
}

function leave(iterator: AsyncIterator<unknown> | undefined): void {
  try {
    Promise.resolve(iterator?.return?.()).catch(() => {});
  } catch {
    // Nobody waits for how it took the news.
  }
}

/**
 * Sends a body and ends the message. Undefined where all of it was said at once.
 *
 * @throws {LocalProtocolError} for a whole body that does not fit its head.
 */
export function sendBody(
  driver: Driver,
  source: BodySource,
  trailers: TrailersInit | undefined,
): Upload | undefined {
  if (source.pieces !== undefined || isLate(trailers)) return new Upload(driver, source, trailers);
  if (source.whole !== undefined) driver.say({ type: "data", bytes: source.whole });
  driver.say({ type: "end-of-message", trailers });
  return undefined;
}

/** The trailers that can be checked in front of everything else. They are read here, and only once. */
export function knownTrailers(trailers: TrailersInit | undefined): Headers | undefined {
  return isLate(trailers) || trailers === undefined ? undefined : Headers.from(trailers);
}

/** Whether trailers must be waited for. */
function isLate(
  trailers: TrailersInit | undefined,
): trailers is Exclude<TrailersInit, HeadersInit> {
  return typeof trailers === "function" || trailers instanceof Promise;
}

function resolved(trailers: Exclude<TrailersInit, HeadersInit>) {
  return typeof trailers === "function" ? trailers() : trailers;
}

async function blamed<T>(make: () => T | Promise<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw bodyFailed(error);
  }
}

function bodyFailed(cause: unknown): LocalProtocolError {
  return new LocalProtocolError("BODY_FAILED", "", { cause });
}
