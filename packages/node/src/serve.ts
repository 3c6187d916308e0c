// application → [serve] → node:net, node:tls → connections: a server that listens

import net from "node:net";
import tls from "node:tls";
import { ConnectionError, LocalProtocolError } from "@upgrade/core";
import { listen as listenTo } from "@upgrade/core/io";
import { prepareHandshake, type Service } from "@upgrade/server";
import { onListening } from "./advice.ts";
import { givenOptions, type ListenOptions, type ServeOptions } from "./listen-options.ts";
import { LiveConnections } from "./live-connections.ts";
import { Reporter } from "./reporter.ts";
import { Server } from "./server.ts";

// Node's 511 makes a reconnect storm several times slower: when the queue is full, Linux drops the
// client's SYN, and the client repeats it only after a second, then after two more, and so on.
const BACKLOG = 8_192;

const TLS_HANDSHAKE_MS = 10_000;

/**
 * Serves HTTP/1.1 on a port or a Unix socket. Resolves when it listens.
 *
 * Its sockets are half-open and send without delay (`allowHalfOpen`, `noDelay`). `onError` also gets
 * what fails outside of connections: TLS handshakes (phase `tls`), and connections that cannot be
 * accepted or are over `maxConnections` (phase `accept`).
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`, also for a service that is not a function and a
 *   certificate or key that TLS cannot use.
 * @throws {ConnectionError} `LISTEN_FAILED`: the port is in use, there is no such host, the signal
 *   aborted, …; its cause is Node's error, or the signal's reason.
 *
 * @example
 * ```ts
 * const server = await serve(() => ({ status: 200, body: "hello\n" }), { port: 8080 });
 * process.once("SIGTERM", () => server.close());
 * ```
 */
export function serve(
  service: Service<net.Socket>,
  options?: ServeOptions & { readonly tls?: undefined },
): Promise<Server>;
export function serve(
  service: Service<tls.TLSSocket>,
  options: ServeOptions<tls.TLSSocket> & { readonly tls: tls.TlsOptions },
): Promise<Server>;
export function serve(service: Service<net.Socket>, options: ServeOptions): Promise<Server>;
export async function serve(
  service: Service<net.Socket> | Service<tls.TLSSocket>,
  options: ServeOptions | ServeOptions<tls.TLSSocket> = {},
): Promise<Server> {
  const given = givenOptions(options as ServeOptions);
  const accept = prepareHandshake(service as Service<net.Socket>, given.connection);
  const reporter = new Reporter(given.connection.onError);
  const live = LiveConnections.of(given.connection);
  const listener = listenerOf(given.listen);
  listener.on("connection", (socket) => live.add(socket));
  listener.on(given.listen.tls === undefined ? "connection" : "secureConnection", (io) => {
    io.allowHalfOpen = true;
    live.accept(io, accept, reporter);
  });
  await listening(listener, given.listen);
  reportFailures(listener, reporter);
  const server = new Server(listener, live, given.listen);
  closeOnAbort(server, given.listen);
  return server;
}

function listenerOf({ tls: secure, maxConnections }: ListenOptions): net.Server {
  // Not allowHalfOpen: a client that ends its side during TLS would keep its socket.
  const options = { noDelay: true };
  const listener =
    secure === undefined
      ? net.createServer(options)
      : secureListener({ handshakeTimeout: TLS_HANDSHAKE_MS, ...secure, ...options });
  if (maxConnections !== undefined) listener.maxConnections = maxConnections;
  return listener;
}

function secureListener(options: tls.TlsOptions): tls.Server {
  const chosen = options.ALPNProtocols ?? options.ALPNCallback;
  try {
    return tls.createServer(
      chosen === undefined ? { ...options, ALPNProtocols: ["http/1.1"] } : options,
    );
  } catch (cause) {
    const { message } = cause as Error;
    throw new LocalProtocolError("INVALID_OPTION", `tls cannot be used: ${message}`, { cause });
  }
}

/** Resolves when the listener listens; otherwise nothing of it is left. */
function listening(listener: net.Server, options: ListenOptions): Promise<void> {
  const { port = 0, host, path, backlog = BACKLOG, signal } = options;
  return new Promise((resolve, reject) => {
    const failed = (cause: Error): void => fail(onListening(cause, path), cause);
    let stopListening: (() => void) | undefined;
    function fail(why: string, cause: unknown): void {
      stopListening?.();
      // It may still be looking up the host.
      listener.on("error", () => {}).once("listening", () => listener.close());
      const where = path ?? (host === undefined ? `port ${port}` : `port ${port} of ${host}`);
      reject(new ConnectionError("LISTEN_FAILED", `${where}: ${why}`, { cause }));
    }
    listener.once("error", failed);
    if (signal !== undefined) {
      stopListening = listenTo(signal, (cause) => fail("its signal has aborted", cause));
      if (signal.aborted) return;
    }
    listener.listen(path === undefined ? { port, host, backlog } : { path, backlog }, () => {
      listener.removeListener("error", failed);
      stopListening?.();
      resolve();
    });
  });
}

function reportFailures(listener: net.Server, reporter: Reporter): void {
  // For example too many open files. What is open stays open.
  listener.on("error", (cause) => {
    reporter.report(new ConnectionError("TRANSPORT_FAILED", cause.message, { cause }), "accept");
  });
  listener.on("drop", (dropped) => {
    const whose = dropped?.remoteAddress ?? "a client";
    const limit = `maxConnections is ${listener.maxConnections}: ${whose} was turned away`;
    reporter.report(new ConnectionError("ABORTED", limit), "accept");
  });
  listener.on("tlsClientError", (cause: Error, socket: tls.TLSSocket) => {
    socket.destroy();
    const whose = `TLS with ${socket.remoteAddress ?? "a client"}`;
    const error = new ConnectionError("TRANSPORT_FAILED", `${whose}: ${cause.message}`, { cause });
    reporter.report(error, "tls");
  });
}

function closeOnAbort(server: Server, { signal }: ListenOptions): void {
  if (signal === undefined) return;
  const stopListening = listenTo(signal, () => void server.close());
  void server.closed.then(stopListening);
}
