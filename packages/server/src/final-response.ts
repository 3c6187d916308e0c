// service → [final response] → connection: prepared, then sent with its body

import type { Prepared, ResponseEvent } from "@upgrade/core";
import {
  bodySource,
  type Content,
  contentOf,
  type Driver,
  isWhole,
  sendContent,
  type TrailersInit,
  type Upload,
} from "@upgrade/core/io";
import type { ServerRequest } from "./request.ts";
import type { ServerResponse } from "./service.ts";

/** A final response that may be sent. */
export interface FinalResponse {
  readonly head: Prepared<ResponseEvent>;
  readonly content: Content;
  /** The body, if any, is released instead of sent. */
  readonly isBodiless: boolean;
}

/**
 * Checks a response to this request, and everything that is known of its content.
 *
 * @throws {LocalProtocolError} Nothing is sent.
 */
export function prepareFinal(
  driver: Driver,
  request: ServerRequest<unknown>,
  response: ServerResponse,
  isRelayed: boolean,
  date: string | undefined,
): FinalResponse {
  const { status, reason, headers, body } = response;
  const source = bodySource(body);
  const isBodiless = request.method === "HEAD" || status === 304;
  // A response to HEAD and a 304 have no body for trailers to follow; HTTP/1.0 has no trailers.
  const trailers: TrailersInit | undefined =
    isBodiless || request.version === "1.0" ? undefined : response.trailers;
  const content = contentOf(source, trailers, isRelayed);
  const { bodyLength, known } = content;
  const head = driver.http.prepare(
    { type: "response", status, reason, headers, bodyLength, date },
    known,
  );
  return { head, content, isBodiless };
}

/**
 * Sends the head, and the body if it is whole. Returns true if that is all.
 *
 * @throws {LocalProtocolError} The body does not match the head; nothing is sent.
 */
export function sendFinal(driver: Driver, { head, content, isBodiless }: FinalResponse): boolean {
  if (!isWhole(content)) {
    driver.send(head);
    return false;
  }
  driver.sendWhole(head, isBodiless ? "" : (content.source.whole ?? ""));
  return true;
}

/** Sends what follows a head. Returns undefined if all of it was sent at once. */
export function sendRest(
  driver: Driver,
  { content, isBodiless }: FinalResponse,
): Upload | undefined {
  if (!isBodiless) return sendContent(driver, content);
  content.source.release();
  driver.send({ type: "end-of-message" });
  return undefined;
}
