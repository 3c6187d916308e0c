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
import type { InterimResponse } from "./response.ts";

/** A request. A request received by a server may be passed as it is. */
export interface ClientRequest {
  readonly method: string;
  /** The request target, written verbatim: origin, absolute, authority (CONNECT) or `*` form. */
  readonly target: string;
  /** Sent as they are, in order; only framing is added. HTTP/1.1 requires one `Host`. */
  readonly headers?: HeadersInit | undefined;
  readonly body?: BodyInit | undefined;
  /** Sent after a chunked body. */
  readonly trailers?: TrailersInit | undefined;
  /** Default `"1.1"`. */
  readonly version?: Version | undefined;
}

/** What `sendRequest` can do besides sending: cancel, and listen for interim responses. */
export interface SendOptions {
  /**
   * Cancels the request. A queued request is removed; one in flight ends the connection, since
   * HTTP/1.1 has no other way. Has no effect after a switch. If it throws, that is a
   * `CALLBACK_FAILED`.
   */
  readonly signal?: SignalLike | undefined;
  /**
   * Called with each interim response except 101, in order, before the final one resolves. If it
   * throws, the connection fails with `CALLBACK_FAILED`, with the error as its cause.
   */
  readonly onInterim?: ((response: InterimResponse) => void) | undefined;
}

export const SEND_OPTIONS: Kinds<SendOptions> = { signal: SIGNAL, onInterim: FUNCTION };

/**
 * Calls `make` before anything is sent.
 *
 * @throws {LocalProtocolError} Annotated with `sent: "nothing"`. If a getter of the request throws,
 *   its error is the cause of an `INVALID_OPTION`.
 */
export function beforeSending<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    throw refusalOf(cause).annotate({ sent: "nothing", responseSeen: false });
  }
}

// An error that already has `sent` belongs to another request.
function refusalOf(cause: unknown): LocalProtocolError {
  if (cause instanceof LocalProtocolError && cause.sent === undefined) return cause;
  return new LocalProtocolError("INVALID_OPTION", "the request cannot be read", { cause });
}
