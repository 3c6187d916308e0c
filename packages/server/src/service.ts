// application → [service] → connection: what a server's application is, and may answer

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

/** What a service answers. A response received by the client may be given as it is. */
export interface ServerResponse {
  /**
   * 200 to 999; or 101, which accepts the request's Upgrade. A 2xx to CONNECT needs
   * {@link tunnel}, else it is a 501 and `onError` gets `UNINTENDED_TUNNEL`.
   */
  readonly status: number;
  /** With a 2xx to CONNECT: opens the tunnel. Default false; it means nothing anywhere else. */
  readonly tunnel?: boolean | undefined;
  /** Default: the phrase RFC 9110 has for the status. */
  readonly reason?: string | undefined;
  readonly headers?: HeadersInit | undefined;
  readonly body?: BodyInit | undefined;
  /** Sent behind a chunked body. */
  readonly trailers?: TrailersInit | undefined;
  /** With a switch: the new protocol's first bytes, in the same write as the head. Text is UTF-8. */
  readonly firstBytes?: Uint8Array | string | undefined;
}

/** Nothing: the service has used `switchTo` or `takeOver`. */
// biome-ignore lint/suspicious/noConfusingVoidType: a service without a return statement is one
export type ServiceResult = ServerResponse | undefined | void;

/**
 * The application: called for one request at a time. What it throws goes to `onError`, and is a 500
 * unless the head is out. Some errors have a status of their own: the `BODY_TOO_LARGE` of the
 * request's own body is a 413, its JSON that does not parse a 400, and the failure of another
 * connection a 502 or 504, as `gatewayStatus` has it.
 */
export type Service<IO> = (request: ServerRequest<IO>) => ServiceResult | Promise<ServiceResult>;

/** Where and during which request something went wrong. */
export interface ErrorContext<IO> {
  /** `service`, `response`, `switch`, `head`, `body`, … */
  readonly phase: string;
  readonly request?: ServerRequest<IO> | undefined;
}

/** The limits and deadlines of core, and what only a server decides. */
export interface ServerOptions<IO = unknown> extends DriverOptions {
  /**
   * Told of every throw of the service, every action that came too late, every protocol error of
   * the peer and the response it got. By default nothing is printed.
   */
  readonly onError?: ((error: unknown, context: ErrorContext<IO>) => void) | undefined;
  /**
   * Refusing an Upgrade closes the connection, except where all offered protocols are listed here,
   * or for `true`. Default `["h2c"]`, so that `curl --http2` keeps its connection.
   */
  readonly keepAliveAfterRefusal?: readonly string[] | true | undefined;
  /** A client that has ended its side is still there: its end does not abort `request.signal`. */
  readonly halfClose?: boolean | undefined;
  /** Add `Date` to responses that have none. Default true. */
  readonly date?: boolean | undefined;
}

/** What they may be; the limits are in core. */
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
