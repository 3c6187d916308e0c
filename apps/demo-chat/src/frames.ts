// parts ↔ [frames] ↔ messages: ws, with the limits of this chat

import type { Duplex } from "node:stream";
import type { Parts } from "@upgrade/core/io";
import { adopt, type WebSocketAgreement } from "@upgrade/websocket";
import WebSocket, { PerMessageDeflate, Sender } from "ws";
import type { Frame } from "./wire/wire-event.ts";

/** How long the peer may take to answer a close frame. */
const CLOSE_TIMEOUT_MS = 2_000;

/** Called for each frame that is sent or received; a message in fragments counts as one. */
export type OnFrame = (
  whose: "ours" | "theirs",
  opcode: Frame["opcode"],
  payload: { readonly bytes: number; readonly text: string },
) => void;

const NOTHING = { bytes: 0, text: "" };

/** A WebSocket of ws that tells what it sends and receives. */
export class ChatSocket extends WebSocket {
  #onFrame: OnFrame | undefined;

  /** Reports frames from now on. */
  report(onFrame: OnFrame): void {
    this.#onFrame = onFrame;
    this.on("message", (message: Buffer, isBinary) => {
      const text = isBinary ? "" : String(message);
      onFrame("theirs", isBinary ? "binary" : "text", { bytes: message.length, text });
    });
    this.on("ping", () => onFrame("theirs", "ping", NOTHING));
    this.on("pong", () => onFrame("theirs", "pong", NOTHING));
  }

  /** Sends a text message. */
  sendText(text: string): void {
    this.#onFrame?.("ours", "text", { bytes: Buffer.byteLength(text), text });
    this.send(text);
  }

  override ping(): void {
    this.#onFrame?.("ours", "ping", NOTHING);
    super.ping();
  }

  // Called by ws itself to answer a ping.
  override pong(...given: Parameters<WebSocket["pong"]>): void {
    this.#onFrame?.("ours", "pong", NOTHING);
    super.pong(...given);
  }

  // Called by ws itself when it has received a close frame: with the reason as bytes, or with nothing.
  override close(code?: number, reason?: string | Buffer): void {
    const payload = closing(code, String(reason ?? ""));
    const isAnswer = code === undefined || reason instanceof Buffer;
    if (isAnswer) this.#onFrame?.("theirs", "close", payload);
    if (this.readyState === this.OPEN) this.#onFrame?.("ours", "close", payload);
    super.close(code, reason);
  }
}

function closing(code: number | undefined, reason: string) {
  if (code === undefined) return NOTHING;
  return { bytes: 2 + Buffer.byteLength(reason), text: `${code} ${reason}`.trimEnd() };
}

/** An open WebSocket on a switched io. Add listeners in the same turn, so as not to miss a message. */
export function openFrames(
  parts: Parts<Duplex>,
  agreement: WebSocketAgreement,
  maxMessageBytes: number,
): ChatSocket {
  return adopt(parts, agreement, {
    WebSocket: ChatSocket,
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
