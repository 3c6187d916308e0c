// node:http → [adopt upgrade] → transport: a proposal of a node:http server, as if it had not been read

import type http from "node:http";
import type net from "node:net";
import type { Duplex } from "node:stream";
import { guard, rewind } from "@upgrade/core/io";
import { responsesSent } from "./earlier-responses.ts";
import { assertUnread, bodyIn, framed, READS_BODIES, readToEnd } from "./request-body.ts";
import { headBytes } from "./request-head.ts";

/**
 * Undoes what node:http has read: resolves with the socket of its event `upgrade` or `connect` with
 * the request pushed back to its front, ready for `handshake(socket, service)`. Method, target, header
 * names and values, their order and duplicates are those of the client. Call it in the event.
 *
 * It waits until node:http has sent its responses to earlier requests on the socket, and, from Node 26
 * on, until it has read the request's body. If the socket is closed meanwhile, it resolves with that.
 *
 * @throws {LocalProtocolError} `INVALID_IO`: someone has read the body of the request; the socket is
 *   untouched.
 * @throws {RemoteProtocolError} `BODY_TOO_LARGE`: the body that node:http reads is longer than 1 MiB;
 *   the socket is aborted.
 */
export async function adoptUpgrade<IO extends Duplex>(
  req: http.IncomingMessage,
  socket: IO,
  head: Uint8Array,
): Promise<IO> {
  assertUnread(req);
  // While node:http reads the body, another stream stands for the socket.
  const isBehind = READS_BODIES && (socket as Duplex) !== req.socket;
  const io = (isBehind ? req.socket : socket) as net.Socket;
  guard(io);
  const { body, early } = isBehind
    ? await readToEnd(req, io, socket)
    : { body: bodyIn(req), early: head };
  await responsesSent(io);
  if (io.destroyed) return io as Duplex as IO;
  const { method = "", url = "", httpVersion, rawHeaders } = req;
  const read = { method, target: url, version: httpVersion, flat: rawHeaders };
  const bytes = [headBytes(read), ...(READS_BODIES ? framed(req, body) : []), early];
  const readBuf = Buffer.concat(bytes);
  return rewind({ io: io as Duplex as IO, readBuf, readEnded: io.readableEnded });
}
