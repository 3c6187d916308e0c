// connection ← [sending] ← application: what follows a head, whole or streamed

import { LocalProtocolError, UpgradeError } from "../base/errors.ts";
import type { BodyLength } from "../message/events.ts";
import { Headers, type HeadersInit } from "../message/headers.ts";
import { handled, isThenable } from "../transports/deferred.ts";
import { type BodySource, releaseBody, toOctets } from "./body-source.ts";
import type { Driver } from "./driver.ts";

/** Trailers to send: known now, or once the body has ended. */
export type TrailersInit =
  | HeadersInit
  | PromiseLike<HeadersInit | undefined>
  | (() => HeadersInit | PromiseLike<HeadersInit | undefined> | undefined);

type LateTrailers = Exclude<TrailersInit, HeadersInit>;

/** What follows a head. Each part is read once, so what is checked is what is sent. */
export interface Content {
  readonly source: BodySource;
  readonly bodyLength: BodyLength;
  /** The trailers that are known now, to be prepared together with the head. */
  readonly known: Headers | undefined;
  /** The trailers that are known once the body has ended. */
  readonly late: LateTrailers | undefined;
}

/**
 * Builds the content of a message. A relayed message always promises trailers and keeps its own
 * framing; in any other, trailers imply a chunked body.
 */
export function contentOf(
  source: BodySource,
  trailers: TrailersInit | undefined,
  isRelayed: boolean,
): Content {
  if (trailers === undefined) {
    return { source, bodyLength: source.length, known: undefined, late: undefined };
  }
  const promised = promisedTrailers(trailers);
  const late = isLate(promised) ? promised : undefined;
  const known = isLate(promised) ? undefined : Headers.from(promised);
  const isChunked = !isRelayed && (source.length !== 0 || known !== undefined);
  return { source, bodyLength: isChunked ? "unknown" : source.length, known, late };
}

/** Converts promised trailers to a native promise, handled in case it rejects and is never awaited. */
export function promisedTrailers<T extends TrailersInit | undefined>(
  trailers: T,
): T | Promise<HeadersInit | undefined> {
  if (!isThenable(trailers)) return trailers;
  return handled(Promise.resolve(trailers as PromiseLike<HeadersInit | undefined>));
}

/** Releases the content of a message that will not be sent. */
export function releaseContent(body: unknown, trailers: unknown): void {
  releaseBody(body);
  // The trailers may still reject.
  handled(Promise.resolve(trailers));
}

/** A body being sent piece by piece. It can be stopped. */
export class Upload {
  /** Rejects if sending fails, with `BODY_FAILED` if the body itself threw. */
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

  /** Abandons the rest and releases the body, even while a piece is awaited. */
  stop(): void {
    this.#isStopped = true;
    this.#source.release();
  }

  async #send(driver: Driver, { source, late }: Content): Promise<void> {
    const isOver = (): boolean => this.#isStopped || !driver.isLive;
    if (source.whole !== undefined) driver.send({ type: "data", bytes: source.whole });
    try {
      if (source.isStreamed) await sendPieces(driver, source, isOver);
      if (isOver()) return;
      const trailers = late && (await orBodyFailed(() => resolved(late)));
      if (!isOver()) driver.send({ type: "end-of-message", trailers });
    } catch (error) {
      // Ignore what a body throws because it was stopped.
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
  // Take nothing from a body before the io is open, so that it can still be returned to the caller.
  if (!driver.transport.isOpen) await driver.writing.writable();
  if (isOver()) return;
  const iterator = await orBodyFailed(() => source.begin());
  while (!isOver()) {
    const { done, value } = await orBodyFailed(() => iterator.next());
    if (done === true) source.end();
    else if (!isOver()) driver.send({ type: "data", bytes: toOctets(value) });
    if (driver.writing.isBackedUp) await driver.writing.writable();
    if (done === true) return;
  }
}

/** Whether the content can be sent together with its head. */
export function isWhole({ source, late }: Content): boolean {
  return !source.isStreamed && late === undefined;
}

/**
 * Sends the content and ends the message. Returns undefined if all of it was sent at once.
 *
 * @throws {LocalProtocolError} A whole body does not match its head.
 */
export function sendContent(driver: Driver, content: Content): Upload | undefined {
  if (!isWhole(content)) return new Upload(driver, content);
  const { whole } = content.source;
  if (whole !== undefined) driver.send({ type: "data", bytes: whole });
  driver.send({ type: "end-of-message" });
  return undefined;
}

/** Reports whether the trailers must be awaited. */
function isLate(trailers: TrailersInit | undefined): trailers is LateTrailers {
  return typeof trailers === "function" || isThenable(trailers);
}

function resolved(trailers: LateTrailers) {
  return typeof trailers === "function" ? trailers() : trailers;
}

async function orBodyFailed<T>(make: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await make();
  } catch (error) {
    throw bodyFailed(error);
  }
}

function bodyFailed(cause: unknown): LocalProtocolError {
  return new LocalProtocolError("BODY_FAILED", "", { cause });
}
