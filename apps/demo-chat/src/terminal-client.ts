// @upgrade/node ↔ @upgrade/client ↔ [terminal client] ↔ user: joins a room and verifies the switch

import { upgrade } from "@upgrade/client";
import { open } from "@upgrade/node";
import { type WebSocketAgreement, websocket } from "@upgrade/websocket";
import type WebSocket from "ws";
import { openFrames } from "./frames.ts";
import {
  type ChatAction,
  type ChatEvent,
  LOBBY,
  MAX_MESSAGE_BYTES,
  readEvent,
  roomOfPath,
  SUBPROTOCOL,
} from "./protocol.ts";
import type { TracePrinter } from "./trace.ts";

/** Leaves room for the server's envelope around a message of maximum size. */
const MAX_EVENT_BYTES = 2 * MAX_MESSAGE_BYTES;

export interface JoinOptions {
  /** If omitted, call `hello()` first. */
  readonly name?: string | undefined;
  readonly trace?: TracePrinter | undefined;
  /** Offer permessage-deflate. Default true. */
  readonly deflate?: boolean | undefined;
  /** Milliseconds to connect, and as many until the 101. Default 10,000. */
  readonly timeoutMs?: number | undefined;
}

/** How a conversation ended: the close code and reason (RFC 6455 §7.4). */
export interface ChatEnd {
  readonly code: number;
  readonly reason: string;
}

/** The server responded without switching. */
export class JoinRefused extends Error {
  override readonly name = "JoinRefused";
  readonly status: number;

  constructor(status: number, body: string) {
    super(`the server answered ${status}: ${body.trim()}`);
    this.status = status;
  }
}

/**
 * Joins the chat of the page at `url`.
 *
 * @throws {JoinRefused} The server refused. Otherwise like `open` and `upgrade`: `AgreementFailed` if its 101
 *   does not match the offer.
 */
export async function joinChat(url: URL, options: JoinOptions = {}): Promise<ChatClient> {
  const place = new URL("/chat", url);
  const room = roomOfPath(url.pathname);
  if (room === undefined) throw new Error(`${url.pathname} is no room: it is / or /r/NAME`);
  if (room !== LOBBY) place.searchParams.set("room", room);
  if (options.name !== undefined) place.searchParams.set("name", options.name);
  const { timeoutMs = 10_000 } = options;
  // Most chats run on this machine, where a proxy leads nowhere.
  const socket = await open(place, { timeoutMs, proxy: false });
  const protocol = websocket({
    subprotocols: [SUBPROTOCOL],
    requireSubprotocol: true,
    perMessageDeflate: options.deflate ?? true,
  });
  const result = await upgrade(
    socket,
    { target: place.pathname + place.search, protocol, headers: { Host: place.host } },
    { timeoutMs, trace: ({ role }) => options.trace?.listener(role) },
  );
  if (!result.switched) {
    const body = await result.response.body.text();
    await result.connection.close();
    throw new JoinRefused(result.response.status, body);
  }
  options.trace?.early(result.parts);
  const { parts, agreement, readBuf } = result;
  return new ChatClient(openFrames(parts, agreement, MAX_EVENT_BYTES), agreement, readBuf);
}

/** A client in the chat: yields events in order and sends messages. */
export class ChatClient implements AsyncIterable<ChatEvent> {
  readonly agreement: WebSocketAgreement;
  /** The bytes after the 101 that were read together with it. */
  readonly readBuf: Uint8Array;
  readonly ended: Promise<ChatEnd>;
  readonly #socket: WebSocket;
  readonly #events: ChatEvent[] = [];
  #isOver = false;
  #wake: (() => void) | undefined;

  /** @internal Created by {@link joinChat}. */
  constructor(socket: WebSocket, agreement: WebSocketAgreement, readBuf: Uint8Array) {
    this.#socket = socket;
    this.agreement = agreement;
    this.readBuf = readBuf;
    socket.on("message", (data) => this.#receive(String(data)));
    // The close code also reports the error.
    socket.on("error", () => {});
    this.ended = new Promise((settle) => {
      socket.on("close", (code, reason) => {
        this.#isOver = true;
        this.#wake?.();
        settle({ code, reason: String(reason) });
      });
    });
  }

  #receive(json: string): void {
    const event = readEvent(json);
    // Ignore events of a later protocol version.
    if (event === undefined) return;
    this.#events.push(event);
    this.#wake?.();
  }

  /** The next event; undefined at the end. One caller at a time. */
  async next(): Promise<ChatEvent | undefined> {
    while (this.#events.length === 0 && !this.#isOver) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
    return this.#events.shift();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<ChatEvent> {
    for (let event = await this.next(); event !== undefined; event = await this.next()) yield event;
  }

  hello(name: string): void {
    this.#send({ type: "hello", name });
  }

  say(text: string): void {
    this.#send({ type: "message", text });
  }

  /** Sends a close frame and resolves when the conversation is over. */
  leave(): Promise<ChatEnd> {
    this.#socket.close(1000);
    return this.ended;
  }

  #send(action: ChatAction): void {
    this.#socket.send(JSON.stringify(action));
  }
}
