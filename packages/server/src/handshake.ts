// io + service → [handshake] → connection

import { LocalProtocolError } from "@upgrade/core";
import { type Connection, Driver, type Io, inWords } from "@upgrade/core/io";
import { ServerSide } from "./server-side.ts";
import { SERVER_OPTIONS, type ServerOptions, type Service } from "./service.ts";

const DEFAULTS = {};

/** The result of {@link handshake}. */
export interface ServerHandshake<IO> {
  readonly connection: Connection<IO>;
}

/**
 * Serves HTTP/1.1 on an io connected to a client: a Node Duplex, a Deno.Conn, a WHATWG
 * `{ readable, writable }`, or a ByteStream.
 *
 * The io has an error listener as soon as this returns, before anything is awaited. If it has already
 * failed, or ended both ways, `closed` of the connection resolves with `failed`.
 *
 * @throws {LocalProtocolError} `INVALID_IO`, with the reason: none of these shapes, locked, in object
 *   mode, decoding, or in use. `INVALID_OPTION`, also for a service that is not a function.
 *   `NO_WEBASSEMBLY`: the platform does not allow WebAssembly, which the parser needs. The io is
 *   untouched.
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
