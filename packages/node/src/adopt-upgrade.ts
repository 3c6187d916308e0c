// node:http → [adopt upgrade] → connection: the proposals of a node:http server for a service of ours

import type http from "node:http";
import type net from "node:net";
import type { Duplex } from "node:stream";
import { ConnectionError, LocalProtocolError } from "@upgrade/core";
import { abortIo, inWords } from "@upgrade/core/io";
import { prepareHandshake, type ServerOptions, type Service } from "@upgrade/server";
import { type CloseServerOptions, LiveConnections } from "./live-connections.ts";
import { Reporter } from "./reporter.ts";
import { headBytes } from "./request-head.ts";

/**
 * Undoes what node:http has read: returns the socket of its event `upgrade` or `connect` with the
 * request pushed back to its front, ready for `handshake(socket, service)`. Method, target, header names and
 * values, their order and duplicates are those of the client.
 *
 * @throws {LocalProtocolError} `INVALID_IO`: node:http still reads the body of the request, or someone
 *   has read it; the socket is untouched.
 */
export function adoptUpgrade<IO extends Duplex>(
  req: http.IncomingMessage,
  socket: IO,
  head: Uint8Array,
): IO {
  const isElsewhere = (socket as Duplex) !== req.socket && hasBody(req);
  if (isElsewhere || (req.readableLength > 0 && !req.complete)) {
    throw new LocalProtocolError("INVALID_IO", "the body of the request is in node:http's req");
  }
  if (socket.destroyed || socket.readableEnded) return socket;
  const { method = "", url = "", httpVersion, rawHeaders } = req;
  const read = { method, target: url, version: httpVersion, flat: rawHeaders };
  socket.unshift(Buffer.concat([headBytes(read), ...bodyOf(req), head]));
  return socket;
}

// The end of the chunk before it, and no trailers (RFC 9112 §7.1).
const LAST_CHUNK = "\r\n0\r\n\r\n";

// From Node 26 on, node:http reads the body; before, it is in `head`.
function bodyOf(req: http.IncomingMessage): readonly Uint8Array[] {
  const chunks: Buffer[] = [];
  while (req.readableLength > 0) chunks.push(req.read() as Buffer);
  if (chunks.length === 0) return [];
  const body = Buffer.concat(chunks);
  if (req.headers["transfer-encoding"] === undefined) return [body];
  return [Buffer.from(`${body.length.toString(16)}\r\n`), body, Buffer.from(LAST_CHUNK)];
}

function hasBody({ headers }: http.IncomingMessage): boolean {
  return headers["content-length"] !== undefined || headers["transfer-encoding"] !== undefined;
}

/** What a node:http server leaves to a service of ours. */
export class Upgrades {
  readonly #live: LiveConnections;
  readonly #detach: () => void;

  /** @internal Created by {@link serveUpgrades}. */
  constructor(live: LiveConnections, detach: () => void) {
    this.#live = live;
    this.#detach = detach;
  }

  /** The number of open connections, switched ones included, until their sockets close. */
  get connections(): number {
    return this.#live.size;
  }

  /**
   * Leaves later proposals to node:http, and closes the connections like `close()` of a `Server`.
   * The node:http server goes on.
   *
   * @throws {LocalProtocolError} `INVALID_OPTION`; nothing is closed.
   */
  async close(options: CloseServerOptions = {}): Promise<void> {
    const closed = this.#live.close(
      options,
      () => new ConnectionError("CLOSE_TIMEOUT", "the server has closed"),
    );
    this.#detach();
    await closed;
  }
}

/**
 * Serves what a node:http server reports as `upgrade` and `connect`, with a service of ours. The
 * sockets become half-open, like those of `serve`.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import http from "node:http";
 * import { pipeline } from "node:stream";
 *
 * const httpServer = http.createServer((_, response) => response.end("hello\n"));
 * serveUpgrades(httpServer, async (request) => {
 *   if (!request.proposal?.offers("echo")) return { status: 404 };
 *   const { io, readBuf } = await request.switchTo("echo");
 *   io.write(readBuf);
 *   pipeline(io, io, () => {}); // unlike pipe(), it handles a reset
 * });
 * httpServer.listen(8080);
 * ```
 */
export function serveUpgrades(
  httpServer: http.Server,
  service: Service<net.Socket>,
  options: ServerOptions<net.Socket> = {},
): Upgrades {
  assertHttpServer(httpServer);
  const accept = prepareHandshake(service, options);
  const live = LiveConnections.of(options);
  const reporter = new Reporter(options.onError);
  const serve = (req: http.IncomingMessage, stream: Duplex, head: Buffer): void => {
    const socket = stream as net.Socket;
    live.add(socket);
    try {
      adoptUpgrade(req, socket, head);
    } catch (error) {
      abortIo(socket, error);
      reporter.report(error, "handshake");
      return;
    }
    socket.allowHalfOpen = true;
    live.accept(socket, accept, reporter);
  };
  httpServer.on("upgrade", serve).on("connect", serve);
  return new Upgrades(live, () => httpServer.off("upgrade", serve).off("connect", serve));
}

/** @throws {LocalProtocolError} `INVALID_OPTION`. */
export function assertHttpServer(httpServer: unknown): void {
  // By shape: under Jest a server may be from another realm.
  const { emit, on, closeIdleConnections } = Object(httpServer) as Partial<http.Server>;
  if ([emit, on, closeIdleConnections].every((method) => typeof method === "function")) return;
  const came = inWords(httpServer);
  throw new LocalProtocolError("INVALID_OPTION", `httpServer is ${came}, not an http.Server`);
}
