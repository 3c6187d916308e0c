// connection ← [sending] ← application: a body behind its head, whole or as it comes

import { LocalProtocolError } from "../errors.ts";
import type { HeadersInit } from "../headers.ts";
import { type BodySource, toOctets } from "./body-source.ts";
import type { Driver } from "./driver.ts";

/** Trailers to be sent: known, or known when the body has ended. */
export type TrailersInit =
  | HeadersInit
  | Promise<HeadersInit | undefined>
  | (() => HeadersInit | Promise<HeadersInit | undefined> | undefined);

/** Lets a sender stop a body that nobody wants any more. */
export interface Upload {
  stopped: boolean;
}

/**
 * Sends a body and ends the message. Undefined where all of it was said at once.
 *
 * @throws {LocalProtocolError} at once for a whole body that does not fit its head; otherwise the
 *   promise rejects, with `BODY_FAILED` if the body itself threw.
 */
export function sendBody(
  driver: Driver,
  source: BodySource,
  trailers: TrailersInit | undefined,
  upload: Upload,
): Promise<void> | undefined {
  if (source.pieces === undefined && !isLate(trailers)) {
    if (source.whole !== undefined) driver.say({ type: "data", bytes: source.whole });
    driver.say({ type: "end-of-message", trailers });
    return undefined;
  }
  return sendPieces(driver, source, trailers, upload);
}

/** Whether trailers must be waited for. */
function isLate(
  trailers: TrailersInit | undefined,
): trailers is Exclude<TrailersInit, HeadersInit> {
  return typeof trailers === "function" || trailers instanceof Promise;
}

async function sendPieces(
  driver: Driver,
  source: BodySource,
  trailers: TrailersInit | undefined,
  upload: Upload,
): Promise<void> {
  if (source.whole !== undefined) driver.say({ type: "data", bytes: source.whole });
  const iterator = source.pieces?.();
  let complete = iterator === undefined;
  try {
    while (!complete) {
      const { done, value } = await blamed(iterator!.next());
      if (upload.stopped || !driver.isLive) return;
      complete = done === true;
      if (!complete) driver.say({ type: "data", bytes: toOctets(value) });
      if (driver.writing.isPressed) await driver.writing.writable();
      if (upload.stopped || !driver.isLive) return;
    }
    const late = isLate(trailers) ? await blamed(resolved(trailers)) : trailers;
    if (upload.stopped || !driver.isLive) return;
    driver.say({ type: "end-of-message", trailers: late });
  } finally {
    // Left early: whoever makes the bytes is told that nobody wants them.
    if (!complete) iterator?.return?.()?.then(undefined, () => {});
  }
}

async function resolved(trailers: Exclude<TrailersInit, HeadersInit>) {
  return typeof trailers === "function" ? trailers() : trailers;
}

async function blamed<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (cause) {
    throw new LocalProtocolError("BODY_FAILED", "", { cause });
  }
}
