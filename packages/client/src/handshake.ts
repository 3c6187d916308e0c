// io → [handshake] → sender + connection

import {
  type Connection,
  DRIVER_OPTIONS,
  Driver,
  type DriverKinds,
  type DriverOptions,
  type Io,
  Settings,
} from "@upgrade/core/io";
import { ClientSide } from "./client-side.ts";
import { Sender } from "./sender.ts";

const DEFAULTS = {};

/** The limits and deadlines of core. `idleMs` and `minStreamBytesPerSecond` are off by default on a client. */
export interface ClientOptions extends DriverOptions {}

export const CLIENT_OPTIONS: DriverKinds<ClientOptions> = DRIVER_OPTIONS;

/** The result of {@link handshake}. */
export interface ClientHandshake<IO> {
  readonly sender: Sender;
  readonly connection: Connection<IO>;
}

/**
 * Speaks HTTP/1.1 as a client on an io that is connected, or connecting, to a server: a Node Duplex,
 * a Deno.Conn, a WHATWG `{ readable, writable }`, or a ByteStream. Nothing is sent before the first
 * request.
 *
 * The io has an error listener as soon as this returns, before anything is awaited. If it has already
 * failed, or ended both ways, `closed` of the connection resolves with `failed`.
 *
 * @throws {LocalProtocolError} `INVALID_IO`, with the reason: none of these shapes, locked, in object
 *   mode, decoding, or in use. `INVALID_OPTION`. `NO_WEBASSEMBLY`: the platform does not allow
 *   WebAssembly, which the parser needs. The io is untouched.
 *
 * @example
 * ```ts
 * const { sender, connection } = await handshake(net.connect(8080, "127.0.0.1"));
 * const response = await sender.sendRequest({
 *   method: "GET", target: "/", headers: { Host: "127.0.0.1:8080" },
 * });
 * console.log(response.status, await response.body.text());
 * await connection.close();
 * ```
 */
export async function handshake<IO extends Io>(
  io: IO,
  options: ClientOptions = DEFAULTS,
): Promise<ClientHandshake<IO>> {
  return prepareHandshake(options)(io);
}

/**
 * Checks options once, for many ios: a mistake shows when a pool starts, and all its connections share
 * their limits. The result is {@link handshake} for one io.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`.
 *
 * @example
 * ```ts
 * const begin = prepareHandshake({ pipeline: 4 });
 * const { sender, connection } = await begin(net.connect(8080, "127.0.0.1"));
 * const response = await sender.sendRequest({
 *   method: "GET", target: "/", headers: { Host: "127.0.0.1:8080" },
 * });
 * console.log(response.status, await response.body.text());
 * await connection.close();
 * ```
 */
export function prepareHandshake(
  options: ClientOptions = DEFAULTS,
): <IO extends Io>(io: IO) => Promise<ClientHandshake<IO>> {
  const settings = new Settings("client", options, CLIENT_OPTIONS);
  return async (io) => {
    const side = new ClientSide(new Driver(settings, io), io);
    side.driver.start(side);
    return { sender: new Sender(side), connection: side.connection };
  };
}

/** Prepares a connection. The io is untouched until its driver is started. */
export function prepare<IO>(
  io: IO,
  options: ClientOptions,
  kinds: DriverKinds<ClientOptions>,
): ClientSide<IO> {
  return new ClientSide(new Driver(new Settings("client", options, kinds), io), io);
}
