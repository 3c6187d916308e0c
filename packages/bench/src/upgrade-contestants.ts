// Servers that switch to a custom protocol or WebSocket, and what a client sends them.

import { createHash } from "node:crypto";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { handOver } from "@upgrade/node";
import { handshake, prepareHandshake, rewind, type Service, switching } from "@upgrade/server";
import { adopt, websocket } from "@upgrade/websocket";
import { WebSocket, WebSocketServer } from "ws";
import { listen, serveSockets } from "./loopback.ts";
import { faultOfResponse, lengthOfResponse, type Step } from "./messages.ts";

const KEY = "dGhlIHNhbXBsZSBub25jZQ==";
const SWITCHED = "HTTP/1.1 101 Switching Protocols";
const LINES = [
  "Upgrade: websocket",
  "Connection: Upgrade",
  `Sec-WebSocket-Accept: ${acceptOf(KEY)}`,
];

/** A frame with the letter a, masked with zeros as from a client, and as from a server. */
const FRAME_IN = Buffer.from([0x81, 0x81, 0, 0, 0, 0, 0x61]);
const FRAME_OUT = Buffer.from([0x81, 0x01, 0x61]);

/** RFC 6455 §4.2.2. */
function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
}

// What ws's own server does with a socket.
const LIKE_ITS_SERVER = {
  maxPayload: 100 * 1024 * 1024,
  autoPong: true,
  skipUTF8Validation: false,
  allowSynchronousEvents: true,
};
const Bare = WebSocket as unknown as new (
  address: null,
  protocols: undefined,
  options: object,
) => { _isServer: boolean; setSocket(socket: Socket, head: Buffer, options: object): void };

/** The protocol after the switch. */
export type Speak = (socket: Socket) => void;

/** Answers every piece with one frame. */
export const answerFrame: Speak = (socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("data", () => socket.write(FRAME_OUT));
};

/** Echoes every piece. */
export const echo: Speak = (socket) => {
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk) => socket.write(chunk));
};

export function ours(speak: Speak): Promise<number> {
  return serveSockets((socket) => {
    void handshake(socket, async (request) => {
      const key = request.headers.get("sec-websocket-key") ?? "";
      const headers = { "Sec-WebSocket-Accept": acceptOf(key) };
      speak(rewind(await request.switchTo("websocket", { headers })));
    });
  });
}

/** A bare socket that answers its first bytes with a 101. */
export function floor(speak: Speak): Promise<number> {
  return serveSockets((socket) => {
    socket.once("data", (chunk: Buffer) => {
      const at = chunk.indexOf(KEY);
      const accept = acceptOf(chunk.toString("latin1", at, at + KEY.length));
      const fields = [LINES[0], LINES[1], `Sec-WebSocket-Accept: ${accept}`];
      socket.write(
        [SWITCHED, ...fields, "Date: Thu, 01 Jan 2026 00:00:00 GMT", "", ""].join("\r\n"),
      );
      speak(socket);
    });
  });
}

/** Takes over the socket and leaves the rest to ws, as in the guide. */
export function oursWs(): Promise<number> {
  const sockets = new WebSocketServer({ noServer: true });
  return serveSockets((socket) => {
    void handshake(socket, async (request) => {
      sockets.handleUpgrade(...(await handOver(request)), answerMessages);
    });
  });
}

/** Answers the handshake itself, and gives the socket to the class of ws. */
export function oursAdopting(): Promise<number> {
  const service: Service<Socket> = switching([
    [websocket(), (parts, agreement) => answerMessages(adopt(parts, agreement, { WebSocket }))],
  ]);
  const accept = prepareHandshake(service);
  return serveSockets((socket) => void accept(socket));
}

function answerMessages(webSocket: WebSocket): void {
  webSocket.on("message", (message) => webSocket.send(message, { binary: false }));
}

/** A bare socket that answers its first bytes with a 101, and the class of ws. */
export function floorWs(): Promise<number> {
  return floor((socket) => {
    const webSocket = new Bare(null, undefined, LIKE_ITS_SERVER);
    webSocket._isServer = true;
    webSocket.setSocket(socket, Buffer.alloc(0), LIKE_ITS_SERVER);
    answerMessages(webSocket as unknown as WebSocket);
  });
}

export function nodeHttpWs(): Promise<number> {
  const sockets = new WebSocketServer({ noServer: true });
  const server = createServer();
  server.on("upgrade", (request, socket, head) => {
    sockets.handleUpgrade(request, socket, head, answerMessages);
  });
  return listen(server);
}

/** The switch. */
export const PROPOSAL: Step = {
  request: Buffer.from(
    `GET /chat HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${KEY}\r\n\r\n`,
  ),
  lengthOf: lengthOfResponse,
  fault: (answer) => faultOfResponse(answer, SWITCHED, LINES, ""),
};

/** Sends `request` and gets `answer`, after the switch. */
export function spoken(request: Buffer, answer: Buffer): Step {
  return {
    request,
    lengthOf: () => answer.length,
    fault: (came) => (came.equals(answer) ? undefined : "wrong bytes after the switch"),
  };
}

export const FRAME = spoken(FRAME_IN, FRAME_OUT);
