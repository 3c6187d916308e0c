// application → [request] → connection: what a client may send

import { type HeadersInit, LocalProtocolError, type Version } from "@upgrade/core";
import {
  type BodyInit,
  FUNCTION,
  type Kinds,
  SIGNAL,
  type SignalLike,
  type TrailersInit,
} from "@upgrade/core/io";
import type { InformationalResponse } from "./response.ts";

/** A request. One received by a server may be given as it is. */
export interface ClientRequest {
  readonly method: string;
  /** The request target, written verbatim: origin, absolute, authority (CONNECT) or `*` form. */
  readonly target: string;
  /** Sent as they are, in order; nothing but framing is added. HTTP/1.1 wants one `Host`. */
  readonly headers?: HeadersInit | undefined;
  readonly body?: BodyInit | undefined;
  /** Sent behind a chunked body. */
  readonly trailers?: TrailersInit | undefined;
  /** Default `"1.1"`. */
  readonly version?: Version | undefined;
}

export interface SendOptions {
  /**
   * Cancels. A request that waits is taken back; one in flight ends the connection, since HTTP/1.1
   * has no other way. Without effect after a switch. One that throws is a `CALLBACK_FAILED`.
   */
  readonly signal?: SignalLike | undefined;
  /**
   * Called with each interim response but 101, in order, before the final one resolves. What it
   * throws ends the connection, and is the cause of a `CALLBACK_FAILED`.
   */
  readonly onInformational?: ((response: InformationalResponse) => void) | undefined;
}

export const SEND_OPTIONS: Kinds<SendOptions> = { signal: SIGNAL, onInformational: FUNCTION };

/**
 * What `make` makes of a request.
 *
 * @throws {LocalProtocolError} A refusal, which says that nothing was sent. What a getter of the
 *   request throws is the cause of an `INVALID_OPTION`.
 */
export function unsaid<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw refusalOf(cause).annotate({ sent: "nothing", responseSeen: false });
  }
}

// One that knows already what was sent is of another request.
function refusalOf(cause: unknown): LocalProtocolError {
  if (cause instanceof LocalProtocolError && cause.sent === undefined) return cause;
  return new LocalProtocolError("INVALID_OPTION", "the request cannot be read", { cause });
}
