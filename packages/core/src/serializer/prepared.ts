// bytes ← [prepared] ← events: a head that was checked and made into text, once

import type {
  RequestEvent,
  RequestToSend,
  ResponseEvent,
  ResponseToSend,
} from "../message/events.ts";
import type { Headers, HeadersInit } from "../message/headers.ts";
import type { Answer } from "../message/switching.ts";
import { trailerLines } from "./trailers.ts";

/** All that a prepared head consists of. */
export interface PreparedParts<Head> {
  readonly head: Head;
  /** What it was made from, each part read once. */
  readonly source: (RequestToSend | ResponseToSend) & { readonly headers: Headers };
  /** Its octets, if the connection persists after it. */
  readonly text: string;
  /** Its octets, if it is the last head: with `Connection: close`, where that is needed. */
  readonly lastText: string;
  /** Whether it lets the connection persist. */
  readonly persists: boolean;
  /** Of a response: how it answers the proposal. */
  readonly answer?: Answer;
  /** Of a response: what was looked at in the request it answers. */
  readonly request?: Pick<RequestEvent, "method" | "version" | "proposal">;
  /** The lines of the trailers that were given with it. */
  readonly trailers?: string;
}

/**
 * A head that was checked and made into text. It can be sent later, and more than once: see
 * {@link HttpConnection.prepare}.
 */
export class Prepared<Head extends RequestEvent | ResponseEvent = RequestEvent | ResponseEvent> {
  readonly #parts: PreparedParts<Head>;

  /** @internal */
  constructor(parts: PreparedParts<Head>) {
    this.#parts = parts;
  }

  /** The head as it was given; fields that were added to it are not in its headers. */
  get head(): Head {
    return this.#parts.head;
  }

  /** @internal */
  get parts(): PreparedParts<Head> {
    return this.#parts;
  }

  /**
   * The same head with trailers, which are written at the end of its body.
   *
   * @throws {LocalProtocolError} `INVALID_TRAILER`, `INVALID_HEADER`.
   */
  withTrailers(init: HeadersInit | undefined): Prepared<Head> {
    const trailers = trailerLines(this.head.framing, init);
    return trailers === "" ? this : new Prepared({ ...this.#parts, trailers });
  }

  /**
   * V8 flattens a concatenated string when a character is read. Reading one here does it once, and
   * not in every write, where it cost two microseconds.
   *
   * @internal
   */
  flatten(): void {
    this.#parts.text.charCodeAt(0);
  }
}

/** The octets of a head that is sent now. */
export function headText({ text, lastText }: PreparedParts<unknown>, isLast: boolean): string {
  return isLast ? lastText : text;
}

/** Whether a response with this head, prepared for the request `past`, may be sent to another. */
export function answers(
  { status }: ResponseEvent,
  past: PreparedParts<unknown>["request"],
  { method, version, proposal }: RequestEvent,
): boolean {
  if (past?.version !== version) return false;
  if (past.method !== method && !(isOrdinary(past.method) && isOrdinary(method))) return false;
  return status !== 101 || past.proposal === proposal;
}

// Responses to all such methods have the same framing.
function isOrdinary(method: string): boolean {
  return method !== "HEAD" && method !== "CONNECT";
}
