import type net from "node:net";
import { Headers } from "@upgrade/core";
import type { ServeOptions, Server } from "@upgrade/node";
import { type Service, switching } from "@upgrade/server";
import {
  adopt,
  type WebSocketAgreement,
  type WebSocketOptions,
  websocket,
} from "@upgrade/websocket";
import type { WebSocket } from "ws";
import { serveHere } from "../pairs/listening.ts";
import { NEWEST } from "./versions.ts";

/** One WebSocket of the server, as the server sees it. */
export interface Conversation {
  readonly agreement: WebSocketAgreement;
  /** How it has closed: the code and the reason. */
  readonly closed: Promise<readonly [code: number, reason: string]>;
  /** The bytes on the wire in each direction, the handshake included. */
  readonly bytes: { readonly read: number; readonly written: number };
}

/** Text with which the other end asks for something. All other messages are returned. */
const COMMANDS: { readonly [name: string]: (socket: WebSocket, given: string[]) => void } = {
  "/close": (socket, [code, ...words]) => socket.close(Number(code), words.join(" ")),
  "/die": (socket) => socket.terminate(),
  "/ping": (socket) => {
    socket.once("pong", (text) => socket.close(1000, `pong: ${text}`));
    socket.ping("there?");
  },
};

function converse(io: net.Socket, socket: WebSocket, agreement: WebSocketAgreement): Conversation {
  const bytes = { read: 0, written: 0 };
  const closed = new Promise<readonly [number, string]>((resolve) => {
    socket.on("close", (code, reason) => {
      Object.assign(bytes, { read: io.bytesRead, written: io.bytesWritten });
      resolve([code, String(reason)]);
    });
  });
  socket.on("error", () => {});
  socket.on("message", (content, isBinary) => {
    const [name = "", ...given] = isBinary ? [] : String(content).split(" ");
    const command = COMMANDS[name];
    if (command === undefined) socket.send(content, { binary: isBinary });
    else command(socket, given);
  });
  return { agreement, closed, bytes };
}

/** Our server, with ws on its WebSockets; what is no proposal gets `otherwise`. */
export async function conversing(
  options: WebSocketOptions & { readonly maxPayload?: number } = {},
  otherwise?: Service<net.Socket>,
  serveOptions: ServeOptions = {},
): Promise<{ server: Server; first: Promise<Conversation> }> {
  const { maxPayload, ...given } = options;
  let begin!: (conversation: Conversation) => void;
  const first = new Promise<Conversation>((resolve) => {
    begin = resolve;
  });
  const protocol = websocket(given);
  const service = switching<net.Socket, [typeof protocol]>(
    [
      [
        protocol,
        (parts, agreement) => {
          const socket = adopt(parts, agreement, { ...CLASSES, maxPayload });
          begin(converse(parts.io, socket, agreement));
        },
      ],
    ],
    otherwise,
  );
  return { server: await serveHere(service, serveOptions), first };
}

const { WebSocket: Class, PerMessageDeflate } = NEWEST;
const CLASSES = { WebSocket: Class, PerMessageDeflate };

/** A server that switches by hand: its 101 has these fields instead of its own, and these first bytes. */
export function switchingWith(
  fields: { readonly [name: string]: string },
  firstBytes = Buffer.of(),
  otherwise: Service<net.Socket> = () => ({ status: 404 }),
): Promise<Server> {
  const protocol = websocket();
  return serveHere(async (request) => {
    if (request.proposal === undefined) return otherwise(request);
    const decision = protocol.accept(request);
    if ("refusal" in decision) return decision.refusal;
    const own = [...Headers.from(decision.headers ?? [])].filter(([name]) => !(name in fields));
    const headers = [...own, ...Object.entries(fields)];
    const { io } = await request.switchTo(protocol.token, { headers, firstBytes });
    io.on("error", () => {}).on("end", () => io.end());
    io.resume();
    return undefined;
  });
}
