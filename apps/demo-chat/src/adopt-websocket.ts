// parts → [adopt] → WebSocket: the switched io becomes a WebSocket object of ws

import type { Duplex } from "node:stream";
import { type Parts, rewind } from "@upgrade/core/io";
import WebSocket, { Sender } from "ws";
import type { Agreement } from "./websocket-handshake.ts";

/** How long the peer may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 2_000;

// ws makes the WebSocket of a finished handshake only from a request of node:http. What it calls
// then is marked private, so ws is pinned to one version, this file is the only one that knows of
// it, and test/adopt-websocket.test.ts fails if it changes.
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
 * An open WebSocket on a switched io. `readBuf` is read before anything else; listen in the same
 * turn, and nothing is missed.
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
  // Where the peer's end has been read already, rewinding makes a stream that ends once more.
  const io = parts.readEnded ? rewind(parts) : parts.io;
  const head = Buffer.from(parts.readEnded ? [] : parts.readBuf);
  socket.setSocket(io, head, {
    allowSynchronousEvents: true,
    // ws's own defaults: without them a message in very small pieces costs far more than its bytes.
    maxBufferedChunks: 256 * 1024,
    maxFragments: 16 * 1024,
    maxPayload: maxMessageBytes,
    skipUTF8Validation: false,
  });
  return socket;
}

/** One unmasked, uncompressed text frame: a server's first bytes behind its 101. */
export function textFrame(text: string): Buffer {
  const options = { fin: true, opcode: 0x1, mask: false, readOnly: false, rsv1: false };
  return Buffer.concat(Sender.frame(Buffer.from(text), options));
}
