// connection ← [sending] ← application: what stands behind a head, whole or as it comes

import { LocalProtocolError, UpgradeError } from "../errors.ts";
import type { BodyLength } from "../events.ts";
import { Headers, type HeadersInit } from "../headers.ts";
import { type BodySource, releaseBody, toOctets } from "./body-source.ts";
import { handled, isThenable } from "./deferred.ts";
import type { Driver } from "./driver.ts";

/** Trailers to be sent: known, or known when the body has ended. */
export type TrailersInit =
  | HeadersInit
  | PromiseLike<HeadersInit | undefined>
  | (() => HeadersInit | PromiseLike<HeadersInit | undefined> | undefined);

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
  const late = promisedTrailers(trailers);
  const known = isLate(late) ? undefined : Headers.from(late);
  const isChunked = !isRelayed && (source.length !== 0 || known !== undefined);
  const bodyLength = isChunked ? "unknown" : source.length;
  return { source, trailers: known ?? late, known, bodyLength };
}

/** Trailers that are promised, as a promise of this realm: nobody may wait for it, and it may fail. */
export function promisedTrailers<T extends TrailersInit | undefined>(
  trailers: T,
): T | Promise<HeadersInit | undefined> {
  if (!isThenable(trailers)) return trailers;
  return handled(Promise.resolve(trailers as PromiseLike<HeadersInit | undefined>));
}

/** Lets go of what was given as the content of a message that is not sent. */
export function releaseContent(body: unknown, trailers: unknown): void {
  releaseBody(body);
  // Nobody waits for them, and they may fail all the same.
  handled(Promise.resolve(trailers));
}

/** A body on its way out, piece by piece, which may be stopped when it is not wanted any more. */
export class Upload {
  /** Rejects, with `BODY_FAILED` if the body itself threw. */
  readonly done: Promise<void>;
  readonly #source: BodySource;
  #isStopped = false;

  constructor(driver: Driver, content: Content) {
    this.#source = content.source;
    driver.writing.awaitMore();
    this.done = this.#send(driver, content);
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  /** The rest is not wanted: the body is released, even while a piece is awaited. */
  stop(): void {
    this.#isStopped = true;
    this.#source.release();
  }

  async #send(driver: Driver, { source, trailers }: Content): Promise<void> {
    const isOver = (): boolean => this.#isStopped || !driver.life.isLive;
    if (source.whole !== undefined) driver.say({ type: "data", bytes: source.whole });
    try {
      if (source.isStreamed) await sendPieces(driver, source, isOver);
      if (isOver()) return;
      const late = isLate(trailers) ? await blamed(() => resolved(trailers)) : trailers;
      if (!isOver()) driver.say({ type: "end-of-message", trailers: late });
    } catch (error) {
      // What a body throws because it was stopped is no news.
      if (!isOver()) throw error instanceof UpgradeError ? error : bodyFailed(error);
    } finally {
      if (source.hasBegun) source.release();
    }
  }
}

async function sendPieces(
  driver: Driver,
  source: BodySource,
  isOver: () => boolean,
): Promise<void> {
  // Nothing is taken from a body before the io is open, so that it can still be given back.
  if (!driver.transport.isOpen) await driver.writing.writable();
  if (isOver()) return;
  const iterator = await blamed(() => source.begin());
  while (!isOver()) {
    const { done, value } = await blamed(() => iterator.next());
    if (done === true) source.end();
    else if (!isOver()) driver.say({ type: "data", bytes: toOctets(value) });
    if (driver.writing.isPressed) await driver.writing.writable();
    if (done === true) return;
  }
}

/**
 * Sends the content and ends the message. Undefined if all of it was sent at once.
 *
 * @throws {LocalProtocolError} for a whole body that does not fit its head.
 */
export function sendContent(driver: Driver, content: Content): Upload | undefined {
  const { source, trailers } = content;
  if (source.isStreamed || isLate(trailers)) return new Upload(driver, content);
  if (source.whole !== undefined) driver.say({ type: "data", bytes: source.whole });
  driver.say({ type: "end-of-message", trailers });
  return undefined;
}

/** Whether trailers must be waited for. */
function isLate(
  trailers: TrailersInit | undefined,
): trailers is Exclude<TrailersInit, HeadersInit> {
  return typeof trailers === "function" || isThenable(trailers);
}

function resolved(trailers: Exclude<TrailersInit, HeadersInit>) {
  return typeof trailers === "function" ? trailers() : trailers;
}

async function blamed<T>(make: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw bodyFailed(error);
  }
}

function bodyFailed(cause: unknown): LocalProtocolError {
  return new LocalProtocolError("BODY_FAILED", "", { cause });
}
