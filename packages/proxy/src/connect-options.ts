// application → [connect options] → CONNECT proxy

import {
  CLOCK,
  type Clock,
  checkOptions,
  DURATION,
  FUNCTION,
  type Io,
  type Kinds,
  SIGNAL,
  type SignalLike,
  type Tap,
} from "@upgrade/core/io";
import type { ServerRequest, ServerResponse, Service } from "@upgrade/server";
import type { OnTunnel } from "./accounts.ts";
import { PSEUDONYM, TEXT } from "./kinds.ts";
import { assertGiven, type DialOptions } from "./options.ts";

/** Where a client wants to go, in one spelling. */
export interface Destination {
  /** A name in lower case without a dot at its end, or an IP address. */
  readonly host: string;
  readonly port: number;
  /**
   * The IP addresses that the connection may lead to: the host, if it is one, or what `resolve`
   * found. Undefined for a name without `resolve`.
   */
  readonly addresses: readonly string[] | undefined;
}

/** Where to connect: an address that `allow` has seen; the name of the host without `resolve`. */
export interface Place {
  readonly host: string;
  readonly port: number;
}

/** Who a client is, as `authenticate` found; undefined without it. */
export type User = string | undefined;

/** Connects to a destination: `open` of `@upgrade/node` is one. The io is the proxy's from then on. */
export type DialPlace = (place: Place, options: DialOptions) => Io | PromiseLike<Io>;

/** The options of {@link connectProxy}. */
export interface ConnectProxyOptions {
  readonly dial: DialPlace;
  /**
   * Whether this client may go there: true, or false for a 403, or a response of your own. It is asked
   * once for each CONNECT, before anything is connected. What it does not allow is not reached.
   */
  readonly allow: (
    destination: Destination,
    user: User,
    request: ServerRequest<unknown>,
  ) => boolean | ServerResponse | PromiseLike<boolean | ServerResponse>;
  /**
   * Finds the IP addresses of a name, as `dns.promises.resolve4` does. With it, `allow` sees the
   * addresses, and `dial` gets one of exactly these: a name that changes its address between the two
   * reaches nothing else. They are tried in turn.
   */
  readonly resolve?:
    | ((host: string, options: DialOptions) => readonly string[] | PromiseLike<readonly string[]>)
    | undefined;
  /**
   * Who has these credentials, the value of `Proxy-Authorization`, if any: a name for `allow` and
   * `onTunnel`, or undefined for a 407. Default: nobody is asked.
   */
  readonly authenticate?:
    | ((
        credentials: string | undefined,
        request: ServerRequest<unknown>,
      ) => User | PromiseLike<User>)
    | undefined;
  /** The `Proxy-Authenticate` of a 407. Default `Basic realm="proxy"`. */
  readonly challenge?: string | undefined;
  /** Answers what is no CONNECT. Default: a 405. */
  readonly otherwise?: Service<unknown> | undefined;
  /** Milliseconds for `resolve` and `dial`; then the client gets a 504. 0 means none. Default 10,000. */
  readonly connectMs?: number | undefined;
  /** Milliseconds that a tunnel may be silent in both directions. See `tunnel`. */
  readonly tunnelIdleMs?: number | undefined;
  /** Sees the bytes of a tunnel: `a` is the client. One for each tunnel, or none. */
  readonly tap?:
    | ((destination: Destination, request: ServerRequest<unknown>) => Tap | undefined)
    | undefined;
  /** Ends all tunnels when it aborts. */
  readonly signal?: SignalLike | undefined;
  /** The name of this proxy in `Proxy-Status` (RFC 9209). Default `"proxy"`. */
  readonly name?: string | undefined;
  /** Called for each CONNECT that failed, while its client is still there. */
  readonly onError?: ((error: unknown, request: ServerRequest<unknown>) => void) | undefined;
  /** Called when a tunnel has ended. */
  readonly onTunnel?: OnTunnel | undefined;
  /** The clock for `connectMs` and `tunnelIdleMs`. Default: the platform's. */
  readonly clock?: Clock | undefined;
}

const OPTIONS: Kinds<ConnectProxyOptions> = {
  dial: FUNCTION,
  allow: FUNCTION,
  resolve: FUNCTION,
  authenticate: FUNCTION,
  challenge: TEXT,
  otherwise: FUNCTION,
  connectMs: DURATION,
  tunnelIdleMs: DURATION,
  tap: FUNCTION,
  signal: SIGNAL,
  name: PSEUDONYM,
  onError: FUNCTION,
  onTunnel: FUNCTION,
  clock: CLOCK,
};

/** @throws {LocalProtocolError} `INVALID_OPTION`. */
export function checkConnectProxy(options: ConnectProxyOptions): void {
  checkOptions(options, OPTIONS);
  assertGiven("dial", options.dial, 'give ({ host, port }, { signal }) => io, such as "open"');
  // Without it every client would reach whatever this host reaches.
  assertGiven("allow", options.allow, "give (destination, user) => boolean");
}
