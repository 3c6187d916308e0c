// parts → [adopt] → WebSocket: turns the switched io into a WebSocket object of ws

import type { Duplex } from "node:stream";
import { type Parts, rewind } from "@upgrade/core/io";
import WebSocket, { Sender } from "ws";
import type { Agreement } from "./websocket-handshake.ts";

/** How long the peer may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 2_000;

// ws creates a WebSocket after a handshake only from a node:http request. The method it then calls is
// private, so ws is pinned to one version, only this file uses the method, and
// test/adopt-websocket.test.ts fails if it changes.
interface Adoptable {
  _isServer: boolean;
  _protocol: string;
  _extensions: Agreement["extensions"];
  setSocket(
    socket: Duplex,
    head: Buffer,
    options: {
      allowSynchronousEvents: boolean;
      maxBufferedChunks: number;
      maxFragments: number;
      maxPayload: number;
      skipUTF8Validation: boolean;
    },
  ): void;
}
type AdoptableConstructor = new (
  address: null,
  protocols: undefined,
  options: { autoPong: boolean; closeTimeout: number; maxPendingAutoPongs: number },
) => WebSocket & Adoptable;

/**
 * Creates an open WebSocket on a switched io. `readBuf` is read first; add listeners in the same turn
 * so as not to miss a message.
 *
 * @param role A client masks what it sends (RFC 6455 §5.3).
 */
export function adoptWebSocket(
  parts: Parts<Duplex>,
  role: "client" | "server",
  agreement: Agreement,
  maxMessageBytes: number,
): WebSocket {
  const socket = new (WebSocket as unknown as AdoptableConstructor)(null, undefined, {
    autoPong: true,
    closeTimeout: CLOSE_TIMEOUT_MS,
    maxPendingAutoPongs: 60,
  });
  socket._isServer = role === "server";
  socket._protocol = agreement.protocol;
  socket._extensions = agreement.extensions;
  // If the peer's end was already read, rewind() creates a stream that ends again.
  const io = parts.readEnded ? rewind(parts) : parts.io;
  const head = Buffer.from(parts.readEnded ? [] : parts.readBuf);
  socket.setSocket(io, head, {
    allowSynchronousEvents: true,
    // ws's defaults. They bound the memory that a message in tiny fragments can use.
    maxBufferedChunks: 256 * 1024,
    maxFragments: 16 * 1024,
    maxPayload: maxMessageBytes,
    skipUTF8Validation: false,
  });
  return socket;
}

/** Encodes one unmasked, uncompressed text frame: a server's first bytes after its 101. */
export function textFrame(text: string): Buffer {
  const options = { fin: true, opcode: 0x1, mask: false, readOnly: false, rsv1: false };
  return Buffer.concat(Sender.frame(Buffer.from(text), options));
}
