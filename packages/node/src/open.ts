// application → [open] → node:net, node:tls → client: a connected socket, perhaps through a proxy

import net from "node:net";
import tls from "node:tls";
import { connect } from "@upgrade/client";
import { ConnectionError, LocalProtocolError, type UpgradeError } from "@upgrade/core";
import {
  CLOCK,
  type Clock,
  checkOptions,
  DURATION,
  type Kinds,
  rewind,
  SIGNAL,
  type SignalLike,
} from "@upgrade/core/io";
import { onOpening, onRefusal } from "./advice.ts";
import { Attempt } from "./attempt.ts";
import { OBJECT } from "./kinds.ts";
import { type Address, nameOf, type Place, placeOf } from "./place.ts";
import { type Environment, type HttpProxy, proxyTo } from "./proxies.ts";
import { ProxyRefused } from "./proxy-refused.ts";

/** Options of {@link open}. */
export interface OpenOptions {
  /**
   * Options of `tls.connect`, such as `ca`, `cert` and `key`. For an address and for `unix:`, they
   * turn TLS on. Defaults: `servername` is the host unless that is an IP address, and
   * `ALPNProtocols` is `["http/1.1"]`.
   */
  readonly tls?: tls.ConnectionOptions | undefined;
  /** Options of `net.connect`, such as `lookup`, `family`, `localAddress` and `allowHalfOpen`. */
  readonly tcp?: Partial<net.TcpNetConnectOpts> | undefined;
  /**
   * The URL of a proxy for CONNECT, `http:` or `https:`, perhaps with `user:password@`; or false for
   * none. Default: what `HTTPS_PROXY` or `HTTP_PROXY` names, unless `NO_PROXY` lists the host.
   */
  readonly proxy?: string | URL | false | undefined;
  /** Options of `tls.connect` for a proxy with an `https:` URL. */
  readonly proxyTls?: tls.ConnectionOptions | undefined;
  /** Where the variables for proxies are read. Default: `process.env`. */
  readonly env?: Environment | undefined;
  /** Ends the attempt when it aborts. Has no effect on an open socket. */
  readonly signal?: SignalLike | undefined;
  /** Milliseconds for everything: DNS, TCP, proxy and TLS. Default 0: no limit. */
  readonly timeoutMs?: number | undefined;
  /** The clock for `timeoutMs`. Default: the platform's. */
  readonly clock?: Clock | undefined;
}

/** With options of TLS. */
type Secured = OpenOptions & { readonly tls: tls.ConnectionOptions };

const OPEN_OPTIONS: Kinds<OpenOptions> = {
  tls: OBJECT,
  tcp: OBJECT,
  proxy: {
    says: "a URL, or false",
    fits: (value) => value === false || typeof value === "string" || value instanceof URL,
  },
  proxyTls: OBJECT,
  env: OBJECT,
  signal: SIGNAL,
  timeoutMs: DURATION,
  clock: CLOCK,
};

/**
 * Opens a socket to a URL (`http:`, `https:`, `ws:`, `wss:`, or `unix:` with a path), or to an
 * address. In a string, the path is not percent-encoded. Resolves when it is connected, and for `https:` and `wss:` secure; Node tries the
 * addresses of a host as `autoSelectFamily` says. Nothing of HTTP has been sent to the host.
 *
 * On failure nothing is left open.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`, and `CALLBACK_FAILED` for a signal or a clock that
 *   throws.
 * @throws {ConnectionError} `TRANSPORT_FAILED`: no such host, nothing listens there, a certificate
 *   that does not match, …, with Node's error as its cause; `OPEN_TIMEOUT`; `CANCELED` by the signal.
 * @throws {ProxyRefused} The proxy answered with something other than a 2xx.
 *
 * @example
 * ```ts
 * const socket = await open("ws://127.0.0.1:8080", { timeoutMs: 5_000 });
 * socket.on("error", (error) => console.error(error.message));
 * socket.end("GET / HTTP/1.0\r\n\r\n");
 * for await (const chunk of socket) console.log(String(chunk));
 * ```
 */
export function open(
  where: `https://${string}` | `wss://${string}`,
  options?: OpenOptions,
): Promise<tls.TLSSocket>;
export function open(where: string | URL | Address, options: Secured): Promise<tls.TLSSocket>;
export function open(where: string | URL | Address, options?: OpenOptions): Promise<net.Socket>;
export async function open(
  where: string | URL | Address,
  options: OpenOptions = {},
): Promise<net.Socket> {
  checkOptions(options, OPEN_OPTIONS);
  const place = placeOf(where, options.tls !== undefined);
  const proxy = proxyTo(place, options);
  const attempt = new Attempt(nameOf(place), options);
  try {
    const { socket, through } = await reached(place, proxy, options, attempt);
    return attempt.succeed(
      place.isSecure ? await secured(socket, place, "tls", options, attempt, through) : socket,
    );
  } catch (error) {
    throw attempt.fail(error as UpgradeError);
  } finally {
    attempt.stop();
  }
}

/** A socket to a place, and what it leads through, for errors. */
interface Reached {
  readonly socket: net.Socket;
  readonly through: string;
}

async function reached(
  place: Place,
  proxy: HttpProxy | undefined,
  options: OpenOptions,
  attempt: Attempt,
): Promise<Reached> {
  if (proxy === undefined) {
    return { socket: await connected(place, options.tcp, attempt, nameOf(place)), through: "" };
  }
  const { name } = proxy;
  let socket = await connected(proxy.place, options.tcp, attempt, name);
  if (proxy.place.isSecure) {
    socket = await secured(socket, proxy.place, "proxyTls", options, attempt, "");
  }
  return { socket: await tunneled(socket, place, proxy), through: ` through ${name}` };
}

async function connected(
  { host, port, path }: Place,
  tcp: OpenOptions["tcp"],
  attempt: Attempt,
  name: string,
): Promise<net.Socket> {
  const to = path === undefined ? { noDelay: true, ...tcp, host, port } : { ...tcp, path };
  const socket = made("tcp", () => net.connect(to as net.NetConnectOpts));
  try {
    return await attempt.opened(socket, "connect");
  } catch (cause) {
    throw failure(name, cause);
  }
}

async function secured(
  socket: net.Socket,
  place: Place,
  option: "tls" | "proxyTls",
  options: OpenOptions,
  attempt: Attempt,
  through: string,
): Promise<tls.TLSSocket> {
  const { host } = place;
  // RFC 6066 §3: an IP address is no server name.
  const name = net.isIP(host) === 0 ? { servername: host } : {};
  const secure = made(option, () =>
    tls.connect({ ALPNProtocols: ["http/1.1"], ...name, ...options[option], host, socket }),
  );
  try {
    return await attempt.opened(secure, "secureConnect");
  } catch (cause) {
    throw failure(`TLS with ${nameOf(place)}${through}`, cause);
  }
}

async function tunneled(
  socket: net.Socket,
  place: Place,
  { name, authorization }: HttpProxy,
): Promise<net.Socket> {
  const headers = authorization === undefined ? {} : { "Proxy-Authorization": authorization };
  const result = await connect(socket, nameOf(place), { headers }).catch((cause: unknown) => {
    throw failure(`${name} did not answer CONNECT`, cause);
  });
  if (!result.switched) {
    const { status } = result.response;
    throw new ProxyRefused(`${name} answered ${status}: ${onRefusal(status)}`, result.response);
  }
  if (result.readEnded) throw failure(name, new Error("it ended the tunnel at once"));
  return rewind(result.parts);
}

// Node throws for options that it cannot use.
function made<Socket>(option: string, make: () => Socket): Socket {
  try {
    return make();
  } catch (cause) {
    const context = `${option} cannot be used: ${(cause as Error).message}`;
    throw new LocalProtocolError("INVALID_OPTION", context, { cause });
  }
}

function failure(name: string, cause: unknown): ConnectionError {
  const context = `${name}: ${onOpening(cause)}`;
  return new ConnectionError("TRANSPORT_FAILED", context, { cause, sent: "nothing" });
}
