// connection ← [sending] ← application: what stands behind a head, whole or as it comes

import { LocalProtocolError, UpgradeError } from "../errors.ts";
import type { BodyLength } from "../events.ts";
import { Headers, type HeadersInit } from "../headers.ts";
import { type BodySource, toOctets } from "./body-source.ts";
import type { Driver } from "./driver.ts";

/** Trailers to be sent: known, or known when the body has ended. */
export type TrailersInit =
  | HeadersInit
  | Promise<HeadersInit | undefined>
  | (() => HeadersInit | Promise<HeadersInit | undefined> | undefined);

/** What stands behind a head, each part read once: what is checked is what is sent. */
export interface Content {
  readonly source: BodySource;
  readonly trailers: TrailersInit | undefined;
  /** The trailers that can be checked in front of everything else. */
  readonly known: Headers | undefined;
  readonly bodyLength: BodyLength;
}

/**
 * The content of a message. One that is relayed always has the promise of trailers, and a framing
 * of its own; in others trailers ask for a chunked body.
 */
export function contentOf(
  source: BodySource,
  trailers: TrailersInit | undefined,
  isRelayed: boolean,
): Content {
  if (trailers === undefined) {
    return { source, trailers, known: undefined, bodyLength: source.length };
  }
  const known = isLate(trailers) ? undefined : Headers.from(trailers);
  const isChunked = !isRelayed && (source.length !== 0 || known !== undefined);
  const bodyLength = isChunked ? "unknown" : source.length;
  return { source, trailers: known ?? trailers, known, bodyLength };
}

type Pieces = NonNullable<BodySource["pieces"]>;

/** A body on its way out, piece by piece, which may be stopped when nobody wants it any more. */
export class Upload {
  /** Rejects, with `BODY_FAILED` if the body itself threw. */
  readonly done: Promise<void>;
  #isStopped = false;
  /** What makes the body, while there is more of it. */
  #maker: AsyncIterator<unknown> | undefined;

  constructor(driver: Driver, content: Content) {
    driver.writing.awaitMore();
    this.done = this.#send(driver, content);
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

  async #send(driver: Driver, { source, trailers }: Content): Promise<void> {
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
 * Sends the content and ends the message. Undefined where all of it was said at once.
 *
 * @throws {LocalProtocolError} for a whole body that does not fit its head.
 */
export function sendContent(driver: Driver, content: Content): Upload | undefined {
  const { source, trailers } = content;
  if (source.pieces !== undefined || isLate(trailers)) return new Upload(driver, content);
  if (source.whole !== undefined) driver.say({ type: "data", bytes: source.whole });
  driver.say({ type: "end-of-message", trailers });
  return undefined;
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
