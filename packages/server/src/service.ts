// application → [service] → connection: the application of a server, and its responses

import type { HeadersInit } from "@upgrade/core";
import {
  BOOLEAN,
  type BodyInit,
  DRIVER_OPTIONS,
  type DriverKinds,
  type DriverOptions,
  FUNCTION,
  type TrailersInit,
} from "@upgrade/core/io";
import type { ServerRequest } from "./request.ts";

/** A response. A response received by a client may be returned as it is. */
export interface ServerResponse {
  /**
   * 200 to 999; or 101, which accepts the request's Upgrade. A 2xx to CONNECT requires
   * {@link tunnel}, otherwise a 501 is sent and `onError` gets `UNINTENDED_TUNNEL`.
   */
  readonly status: number;
  /** With a 2xx to CONNECT: opens the tunnel. Ignored elsewhere. Default false. */
  readonly tunnel?: boolean | undefined;
  /** Default: the phrase of RFC 9110 for the status. */
  readonly reason?: string | undefined;
  readonly headers?: HeadersInit | undefined;
  readonly body?: BodyInit | undefined;
  /** Sent after a chunked body. */
  readonly trailers?: TrailersInit | undefined;
  /** With a switch: the new protocol's first bytes, in the same write as the head. Text is UTF-8. */
  readonly firstBytes?: Uint8Array | string | undefined;
}

/** A response, or nothing after `switchTo` or `takeOver`. */
// biome-ignore lint/suspicious/noConfusingVoidType: a service without a return statement is one
export type ServiceResult = ServerResponse | undefined | void;

/**
 * The application, called for one request at a time. If it throws, `onError` gets the error, and the
 * response is a 500 unless the head has been sent. Some errors map to other statuses:
 * `BODY_TOO_LARGE` for the request's own body to 413, a JSON syntax error in it to 400, and the
 * failure of another connection to 502 or 504, according to `gatewayStatus`.
 */
export type Service<IO> = (request: ServerRequest<IO>) => ServiceResult | Promise<ServiceResult>;

/** Where an error occurred, and during which request. */
export interface ErrorContext<IO> {
  /** `service`, `response`, `switch`, `head`, `body`, … */
  readonly phase: string;
  readonly request?: ServerRequest<IO> | undefined;
}

/** The limits and deadlines of core, and options specific to servers. */
export interface ServerOptions<IO = unknown> extends DriverOptions {
  /**
   * Called for every error thrown by the service, every action that came too late, and every protocol
   * error of the peer, whose `status` is that of the response it got. By default nothing is printed.
   */
  readonly onError?: ((error: unknown, context: ErrorContext<IO>) => void) | undefined;
  /**
   * Refusing an Upgrade closes the connection, unless all offered protocols are listed here, or this
   * is `true`. Default `["h2c"]`, so that `curl --http2` keeps its connection.
   */
  readonly keepAliveAfterRefusal?: readonly string[] | true | undefined;
  /** Treat a client that has ended its side as present: its end does not abort `request.signal`. */
  readonly halfClose?: boolean | undefined;
  /** Add `Date` to responses without one. Default true. */
  readonly date?: boolean | undefined;
}

/** The kinds of the options; limits are checked in core. */
export const SERVER_OPTIONS: DriverKinds<ServerOptions> = {
  onError: FUNCTION,
  keepAliveAfterRefusal: {
    says: "true or a list of protocols",
    fits: (value) => value === true || (Array.isArray(value) && value.every(isText)),
  },
  halfClose: BOOLEAN,
  date: BOOLEAN,
  ...DRIVER_OPTIONS,
};

function isText(value: unknown): boolean {
  return typeof value === "string";
}
