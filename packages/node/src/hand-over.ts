// request → [hand over] → (req, socket, head): a proposal for software written for node:http

import type http from "node:http";
import type net from "node:net";
import { rewind } from "@upgrade/core/io";
import type { ServerRequest } from "@upgrade/server";
import { incomingMessage } from "./incoming-message.ts";

/** The arguments of node:http's events `upgrade` and `connect`. */
export type UpgradeArguments<IO extends net.Socket = net.Socket> = [
  req: http.IncomingMessage,
  socket: IO,
  head: Buffer,
];

/**
 * Takes the connection over with the proposal unanswered, and gives what node:http's events `upgrade`
 * and `connect` give. The software that gets them writes the response.
 *
 * The body of the request, which few have, is in `req`, unless the service has read it.
 *
 * @throws {LocalProtocolError} `NO_PROPOSAL`, `ALREADY_ANSWERED`.
 * @throws {RemoteProtocolError} `BODY_TOO_LARGE`: the body is longer than 1 MiB.
 *
 * @example
 * ```ts
 * import { WebSocketServer } from "ws";
 *
 * const webSockets = new WebSocketServer({ noServer: true });
 * const server = await serve(
 *   async (request) => {
 *     if (request.proposal === undefined) return { status: 426, headers: { Upgrade: "websocket" } };
 *     const [req, socket, head] = await handOver(request);
 *     webSockets.handleUpgrade(req, socket, head, (webSocket) => {
 *       webSocket.on("error", console.error); // such as a frame that breaks the rules
 *       webSocket.send("hello");
 *     });
 *   },
 *   { port: 8080 },
 * );
 * ```
 */
export async function handOver<IO extends net.Socket>(
  request: ServerRequest<IO>,
): Promise<UpgradeArguments<IO>> {
  const hasBody = request.proposal !== undefined && request.framing.kind !== "none";
  const body = hasBody && !request.body.used ? await request.body.bytes() : undefined;
  const parts = await request.takeOver();
  const { readBuf, readEnded } = parts;
  // An end that was already read comes again only after a rewind.
  const socket = readEnded ? rewind({ ...parts, readBuf: new Uint8Array(0) }) : parts.io;
  return [incomingMessage(request, socket, body), socket, Buffer.from(readBuf)];
}
