// node:http → [serve upgrades] → connection: the proposals of a node:http server for a service of ours

import type http from "node:http";
import type net from "node:net";
import type { Duplex } from "node:stream";
import { ConnectionError, LocalProtocolError } from "@upgrade/core";
import { abortIo, inWords } from "@upgrade/core/io";
import { prepareHandshake, type ServerOptions, type Service } from "@upgrade/server";
import { adoptUpgrade } from "./adopt-upgrade.ts";
import { type CloseServerOptions, LiveConnections } from "./live-connections.ts";
import { Reporter } from "./reporter.ts";

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
   * @throws {LocalProtocolError} `INVALID_OPTION`, and `CALLBACK_FAILED` for a clock that throws;
   *   nothing is closed.
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
 * Serves what a node:http server reports as `upgrade` and `connect`, with a service of ours, after
 * its responses to earlier requests of the connection. The sockets become half-open, like those of
 * `serve`.
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
    // From Node 26 on, the stream may be another one, see adoptUpgrade().
    const socket = req.socket;
    live.add(socket);
    adoptUpgrade(req, stream, head).then(
      (adopted) => {
        // An earlier response has closed the connection.
        if (!socket.writable) return;
        socket.allowHalfOpen = true;
        live.accept(adopted as net.Socket, accept, reporter);
      },
      (error) => {
        abortIo(socket, error);
        reporter.report(error, "handshake");
      },
    );
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
