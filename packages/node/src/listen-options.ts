// application → [listen options] → serve: where to listen, and for whom

import type net from "node:net";
import type tls from "node:tls";
import { type LimitOptions, LocalProtocolError, resolveLimits } from "@upgrade/core";
import { checkOptions, type Kinds, SIGNAL, type SignalLike } from "@upgrade/core/io";
import type { ServerOptions } from "@upgrade/server";
import { COUNT, OBJECT, PORT, SOCKET_PATH, TEXT } from "./kinds.ts";

/** Where a server listens. */
export interface ListenOptions {
  /** 0 to 65,535. Default 0: any free port; see `url` of the server. */
  readonly port?: number | undefined;
  /** An address of this machine, or a name of one. Default: all addresses. */
  readonly host?: string | undefined;
  /**
   * Listens on this Unix socket or Windows pipe instead of a port. At most 107 bytes on Linux, 103
   * on macOS.
   */
  readonly path?: string | undefined;
  /**
   * Options of `tls.createServer`; at least a certificate with its key. Default for ALPN:
   * `http/1.1`; for `handshakeTimeout`: 10,000.
   */
  readonly tls?: tls.TlsOptions | undefined;
  /** Closes the server when it aborts, like `close()` without options. */
  readonly signal?: SignalLike | undefined;
  /**
   * How many connections may wait to be accepted; the system may allow fewer (`somaxconn` on
   * Linux). Default 8,192.
   */
  readonly backlog?: number | undefined;
  /** More connections are closed at once, and `onError` is notified. Default: no limit. */
  readonly maxConnections?: number | undefined;
}

/** The options of {@link serve}: where to listen, and the options of each connection. */
export interface ServeOptions<IO extends net.Socket = net.Socket>
  extends ListenOptions,
    ServerOptions<IO> {}

const LISTEN_OPTIONS: Kinds<ListenOptions> = {
  port: PORT,
  host: TEXT,
  path: SOCKET_PATH,
  tls: OBJECT,
  signal: SIGNAL,
  backlog: COUNT,
  maxConnections: COUNT,
};

// Their values are checked by the handshake.
const OF_CONNECTIONS: {
  readonly [Name in keyof Required<Omit<ServerOptions, keyof LimitOptions>>]: true;
} = {
  clock: true,
  trace: true,
  onError: true,
  keepAliveAfterRefusal: true,
  halfClose: true,
  date: true,
};

/** The options of {@link serve}, each read once. */
export interface Given<IO extends net.Socket> {
  readonly listen: ListenOptions;
  readonly connection: ServerOptions<IO>;
}

/** @throws {LocalProtocolError} `INVALID_OPTION`. */
export function givenOptions<IO extends net.Socket>(options: ServeOptions<IO>): Given<IO> {
  const others = { ...OF_CONNECTIONS, ...resolveLimits() };
  checkOptions(options, LISTEN_OPTIONS, others);
  const listen: ListenOptions = picked(options, LISTEN_OPTIONS);
  if (listen.path !== undefined && (listen.port ?? listen.host) !== undefined) {
    throw new LocalProtocolError("INVALID_OPTION", "give either a path, or a port and a host");
  }
  if (listen.tls !== undefined) assertCertificate(listen.tls);
  return { listen, connection: picked(options, others) };
}

function picked(options: object, names: object): object {
  const values = options as Readonly<Record<string, unknown>>;
  return Object.fromEntries(
    Object.keys(names)
      .map((name) => [name, values[name]])
      .filter(([, value]) => value !== undefined),
  );
}

// Without one Node listens, and every TLS handshake fails with "no shared cipher".
function assertCertificate(options: tls.TlsOptions): void {
  const { cert, key, pfx, secureContext, SNICallback, pskCallback } = options;
  if ((cert && key) || pfx || secureContext || SNICallback || pskCallback) return;
  const missing = cert
    ? "a cert without its key"
    : key
      ? "a key without its cert"
      : "no certificate";
  throw new LocalProtocolError(
    "INVALID_OPTION",
    `tls has ${missing}: give cert and key, or pfx, or SNICallback`,
  );
}
