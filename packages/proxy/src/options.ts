// application → [options] → reverse proxy

import type { ClientOptions } from "@upgrade/client";
import { LocalProtocolError } from "@upgrade/core";
import {
  BOOLEAN,
  CLOCK,
  type Clock,
  checkOptions,
  DURATION,
  FUNCTION,
  type Io,
  type Kinds,
  type SignalLike,
  type Tap,
} from "@upgrade/core/io";
import type { ServerRequest, ServerResponse } from "@upgrade/server";
import type { OnTunnel } from "./accounts.ts";
import type { ForwardingOptions } from "./forwarding.ts";
import { COUNT, OBJECT, PSEUDONYM, TEXT } from "./kinds.ts";
import type { Signal } from "./platform-types.ts";

/** What `dial` and `resolve` get besides the place. */
export interface DialOptions {
  /** Aborts when the client is gone, and after `connectMs`. */
  readonly signal: Signal & SignalLike;
}

/**
 * Connects to an upstream: `open` of `@upgrade/node` is one. It may return an io that is still
 * connecting. The proxy owns the io from then on; one that comes too late is aborted.
 */
export type Dial = (origin: string, options: DialOptions) => Io | PromiseLike<Io>;

/** Which upstream a request is for; or the response, if it is for none. */
export type ChooseOrigin = (
  request: ServerRequest<unknown>,
) => string | ServerResponse | PromiseLike<string | ServerResponse>;

/** The options of {@link reverseProxy}. */
export interface ReverseProxyOptions extends ForwardingOptions {
  readonly dial: Dial;
  /**
   * The upstream, as `dial` takes it, such as `"http://127.0.0.1:8081"`; or a function that chooses
   * one for each request. Idle connections are kept for each. Default: one without a name.
   */
  readonly origin?: string | ChooseOrigin | undefined;
  /** Milliseconds for `dial`; then the client gets a 504. 0 means no limit. Default 10,000. */
  readonly connectMs?: number | undefined;
  /**
   * Milliseconds from the end of the request to the head of its response, or its switch; then the
   * client gets a 504. 0 means no limit. Default 60,000.
   */
  readonly answerMs?: number | undefined;
  /** Milliseconds that a switched connection may be silent in both directions. See `tunnel`. */
  readonly tunnelIdleMs?: number | undefined;
  /** How many idle connections are kept, of all upstreams together. Default 16; 0 means none. */
  readonly maxIdle?: number | undefined;
  /**
   * The limits of connections to upstreams. `idleMs` is how long one is kept idle: less than the
   * upstreams keep theirs. Default of `idleMs`: 4,000.
   */
  readonly upstream?: ClientOptions | undefined;
  /** The name of this proxy in `Proxy-Status` (RFC 9209). Default: `via`, or `"proxy"`. */
  readonly name?: string | undefined;
  /** Called for each request that the upstream failed to answer, while its client is still there. */
  readonly onError?: ((error: unknown, request: ServerRequest<unknown>) => void) | undefined;
  /** Sees the bytes of a switched connection: `a` is the client. One for each, or none. */
  readonly tap?:
    | ((request: ServerRequest<unknown>, protocol: string) => Tap | undefined)
    | undefined;
  /** Called when a switched connection has ended. */
  readonly onTunnel?: OnTunnel | undefined;
  /** The clock for `connectMs`, `answerMs` and `tunnelIdleMs`. Default: the platform's. */
  readonly clock?: Clock | undefined;
}

const OPTIONS: Kinds<ReverseProxyOptions> = {
  dial: FUNCTION,
  origin: {
    says: "a string or a function",
    fits: (value) => typeof value === "string" || typeof value === "function",
  },
  protocols: {
    says: 'a list of protocols, such as ["websocket"]',
    fits: (value) => Array.isArray(value) && value.every((one) => typeof one === "string"),
  },
  via: PSEUDONYM,
  forwarded: {
    says: '"forwarded" or "x-forwarded"',
    fits: (value) => value === "forwarded" || value === "x-forwarded",
  },
  trustForwarded: BOOLEAN,
  clientOf: FUNCTION,
  host: TEXT,
  connectMs: DURATION,
  answerMs: DURATION,
  tunnelIdleMs: DURATION,
  maxIdle: COUNT,
  upstream: OBJECT,
  name: PSEUDONYM,
  onError: FUNCTION,
  tap: FUNCTION,
  onTunnel: FUNCTION,
  clock: CLOCK,
};

/** @throws {LocalProtocolError} `INVALID_OPTION`. */
export function checkReverseProxy(options: ReverseProxyOptions): void {
  checkOptions(options, OPTIONS);
  assertGiven(
    "dial",
    options.dial,
    'give (origin, { signal }) => io, such as "open" of @upgrade/node',
  );
}

/** @throws {LocalProtocolError} `INVALID_OPTION`: a required option is missing. */
export function assertGiven(name: string, value: unknown, hint: string): void {
  if (value === undefined)
    throw new LocalProtocolError("INVALID_OPTION", `${name} is missing: ${hint}`);
}
