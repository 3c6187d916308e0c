// io + service → [handshake] → connection

import { LocalProtocolError } from "@upgrade/core";
import { type Connection, Driver, type Io, inWords, Settings } from "@upgrade/core/io";
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
  return prepareHandshake(service, options)(io);
}

/**
 * Checks the service and its options once, for many ios: a mistake shows when the server starts, and
 * all connections share their limits. The result is {@link handshake} for one io.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`, also for a service that is not a function.
 *
 * @example
 * ```ts
 * const accept = prepareHandshake(() => ({ status: 200, body: "hello\n" }), { idleMs: 5_000 });
 * net.createServer((socket) => void accept(socket)).listen(8080, "127.0.0.1");
 * ```
 */
export function prepareHandshake<IO extends Io>(
  service: Service<IO>,
  options: ServerOptions<IO> = DEFAULTS,
): (io: IO) => Promise<ServerHandshake<IO>> {
  if (typeof service !== "function") {
    const came = inWords(service);
    throw new LocalProtocolError("INVALID_OPTION", `service is ${came}, not a function`);
  }
  const settings = new Settings("server", options, SERVER_OPTIONS);
  return async (io) => {
    const driver = new Driver(settings, io);
    const side = new ServerSide(driver, io, service, options);
    driver.start(side);
    return { connection: side.connection };
  };
}
