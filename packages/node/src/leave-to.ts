// request → [leave to] → node:http: a connection that is node:http's after all

import type http from "node:http";
import type net from "node:net";
import { LocalProtocolError } from "@upgrade/core";
import { abortIo, Connection, rewind } from "@upgrade/core/io";
import type { Service } from "@upgrade/server";
import { headBytes } from "./request-head.ts";
import { assertHttpServer } from "./serve-upgrades.ts";

/**
 * A service that leaves the connection to a node:http server: Express, or socket.io's polling. That
 * gets the request as the client sent it, and all that follow on the connection, proposals included.
 * The server need not listen.
 *
 * The service throws `WRONG_MOMENT` if part of the request's body was read before; call it in the
 * turn in which the request arrives, as `switching(protocols, leaveTo(httpServer))` does. It also
 * does for a proposal that comes back: the server's own `serveUpgrades` must not leave it again.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * import http from "node:http";
 *
 * const httpServer = http.createServer((_, response) => response.end("hello\n"));
 * const server = await serve(leaveTo(httpServer), { port: 8080 });
 * ```
 */
export function leaveTo(httpServer: http.Server): Service<net.Socket> {
  assertHttpServer(httpServer);
  // An https server would begin TLS again.
  const isSecure = "setSecureContext" in httpServer;
  // Those that it has got with a proposal.
  const proposing = new WeakSet<object>();
  return (request) => {
    const { method, target, version, headers, connection } = request;
    if (request.framing.kind !== "none" && request.body.hasBegun) {
      throw new LocalProtocolError("WRONG_MOMENT", "leaveTo() after part of the body was read");
    }
    if (request.proposal !== undefined && proposing.has(Connection.ioOf(connection))) {
      const says = "the proposal has come back from the node:http server that it was left to";
      throw new LocalProtocolError("WRONG_MOMENT", says);
    }
    const { io, readBuf, readEnded, unsent } = connection.intoParts({ force: true });
    // Earlier responses.
    if (unsent.length > 0) io.write(unsent);
    const head = headBytes({ method, target, version, flat: headers.toFlat() });
    const socket = rewind({ io, readBuf: Buffer.concat([head, readBuf]), readEnded });
    if (request.proposal !== undefined) proposing.add(socket);
    try {
      httpServer.emit(isSecure ? "secureConnection" : "connection", socket);
    } catch (error) {
      // A listener threw. Its server may not own the socket yet, and nothing else does.
      abortIo(socket, error);
      throw error;
    }
  };
}
