// io + service → [handshake] → connection

import { LocalProtocolError } from "@upgrade/core";
import { type Connection, Driver, type Io, inWords } from "@upgrade/core/io";
import { ServerSide } from "./server-side.ts";
import { SERVER_OPTIONS, type ServerOptions, type Service } from "./service.ts";

const DEFAULTS = {};

/** What a server's handshake gives. */
export interface ServerHandshake<IO> {
  readonly connection: Connection<IO>;
}

/**
 * Serves HTTP/1.1 on an io that a client is connected to: a Node Duplex, a Deno.Conn, a WHATWG
 * `{ readable, writable }`, or a ByteStream.
 *
 * The io has an error listener when this returns, before anything is awaited. One that has failed by
 * then, or has ended both ways, gives a connection whose `closed` is `failed`.
 *
 * @throws {LocalProtocolError} `INVALID_IO`, with the reason: none of these shapes, locked, in object
 *   mode, decoding, or used by somebody else. `INVALID_OPTION`, also for a service that is no
 *   function. `NO_WEBASSEMBLY`: the platform does
 *   not allow it, and no head could be read. The io is untouched.
 *
 * @example
 * ```ts
 * const server = net.createServer(async (socket) => {
 *   const { connection } = await handshake(socket, () => ({ status: 200, body: "hello\n" }));
 *   await connection.closed;
 * });
 * server.listen(8080, "127.0.0.1");
 * ```
 */
export async function handshake<IO extends Io>(
  io: IO,
  service: Service<IO>,
  options: ServerOptions<IO> = DEFAULTS,
): Promise<ServerHandshake<IO>> {
  if (typeof service !== "function") {
    const came = inWords(service);
    throw new LocalProtocolError("INVALID_OPTION", `service is ${came}, not a function`);
  }
  const driver = new Driver("server", io, options, SERVER_OPTIONS);
  const side = new ServerSide(driver, io, service, options);
  driver.start(side);
  return { connection: side.connection };
}
