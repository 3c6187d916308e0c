// parts ↔ [frames] ↔ messages: ws, with the limits of this chat

import type { Duplex } from "node:stream";
import type { Parts } from "@upgrade/core/io";
import { adopt, type WebSocketAgreement } from "@upgrade/websocket";
import WebSocket, { PerMessageDeflate, Sender } from "ws";

/** How long the peer may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 2_000;

/** An open WebSocket on a switched io. Add listeners in the same turn, so as not to miss a message. */
export function openFrames(
  parts: Parts<Duplex>,
  agreement: WebSocketAgreement,
  maxMessageBytes: number,
): WebSocket {
  return adopt(parts, agreement, {
    WebSocket,
    PerMessageDeflate,
    maxPayload: maxMessageBytes,
    closeTimeout: CLOSE_TIMEOUT_MS,
  });
}

/** Encodes one unmasked, uncompressed text frame: a server's first bytes after its 101. */
export function textFrame(text: string): Buffer {
  const options = { fin: true, opcode: 0x1, mask: false, readOnly: false, rsv1: false };
  return Buffer.concat(Sender.frame(Buffer.from(text), options));
}
