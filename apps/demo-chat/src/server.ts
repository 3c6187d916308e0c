// node:net ↔ @upgrade/server ↔ [chat server] ↔ member: the page over HTTP, /chat over WebSocket

import { once } from "node:events";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, systemClock } from "@upgrade/core/io";
import {
  type Connection,
  handshake,
  type Parts,
  type ServerRequest,
  type ServerResponse,
  type ServiceResult,
} from "@upgrade/server";
import { type WebSocketAgreement, websocket } from "@upgrade/websocket";
import type WebSocket from "ws";
import { openFrames, textFrame } from "./frames.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Member } from "./member.ts";
import { PAGE } from "./page.ts";
import { cleanName, MAX_MESSAGE_BYTES, SUBPROTOCOL } from "./protocol.ts";
import { Room } from "./room.ts";
import type { Trace } from "./trace.ts";

/** A dead peer is detected after one or two of these. */
const HEARTBEAT_MS = 30_000;

// Without context takeover a connection needs no compression window, and short messages stay
// uncompressed, so the trace can show them. Any page may connect: see README.md.
const CHAT = websocket({
  subprotocols: [SUBPROTOCOL],
  perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true },
});

export interface ChatServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Called with a short description of each event. */
  readonly log?: ((line: string) => void) | undefined;
  /** Creates a trace for a connection, if it should be traced. */
  readonly trace?: ((socket: Socket) => Trace | undefined) | undefined;
  readonly maxMessageBytes?: number | undefined;
  readonly heartbeatMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** Starts listening; rejects with node:net's error if that fails. */
export async function startChatServer(options: ChatServerOptions): Promise<ChatServer> {
  // Half-open: the switch restores the socket's own setting, and a peer that has ended its side must
  // still receive what we send.
  const server = createServer({ noDelay: true, allowHalfOpen: true });
  const chat = new ChatServer(server, options);
  server.listen(options.port, options.host);
  try {
    await once(server, "listening");
  } catch (error) {
    await chat.close();
    throw error;
  }
  return chat;
}

export class ChatServer {
  readonly room = new Room();
  readonly #server: Server;
  readonly #options: ChatServerOptions;
  readonly #maxMessageBytes: number;
  readonly #heartbeat: Heartbeat;
  readonly #connections = new Set<Connection<Duplex>>();
  readonly #webSockets = new Set<WebSocket>();
  #closed: Promise<void> | undefined;

  /** @internal Created by {@link startChatServer}. */
  constructor(server: Server, options: ChatServerOptions) {
    this.#server = server;
    this.#options = options;
    this.#maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    const { clock = systemClock, heartbeatMs = HEARTBEAT_MS } = options;
    this.#heartbeat = new Heartbeat(clock, heartbeatMs);
    server.on("connection", (socket) => void this.#serve(socket));
    // For example too many open files: existing connections stay.
    server.on("error", (error) => options.log?.(error.message));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The address to open in a browser. */
  get url(): string {
    const { host } = this.#options;
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.port}/`;
  }

  /** Resolves when everyone now connected has left. */
  async allLeft(): Promise<void> {
    const ends = [...this.#webSockets].map(
      (socket) => new Promise((settle) => socket.once("close", settle)),
    );
    await Promise.all(ends);
  }

  /** Closes every WebSocket and lets current exchanges finish. */
  close(): Promise<void> {
    this.#closed ??= this.#goDown();
    return this.#closed;
  }

  async #goDown(): Promise<void> {
    this.#heartbeat.stop();
    const down = this.#server.listening ? once(this.#server, "close") : undefined;
    this.#server.close();
    for (const socket of this.#webSockets) socket.close(1001, "the server is going away");
    await Promise.all([...this.#connections].map((connection) => connection.close()));
    // The server closes with its last socket; a peer that does not answer the close frame is dropped.
    await down;
  }

  async #serve(socket: Socket): Promise<void> {
    const trace = this.#options.trace?.(socket);
    const io: Duplex = trace === undefined ? socket : trace.tap(socket);
    try {
      const { connection } = await handshake(io, (request) => this.#answer(request, trace));
      this.#connections.add(connection);
      await connection.closed;
      this.#connections.delete(connection);
    } catch {
      // The socket was gone before the handshake.
      io.destroy();
    }
  }

  #answer(
    request: ServerRequest<Duplex>,
    trace: Trace | undefined,
  ): ServiceResult | Promise<ServiceResult> {
    const { method } = request;
    const url = locate(request.target);
    if (url?.pathname === "/chat") {
      if (method !== "GET") return text(405, "only GET\n", [["Allow", "GET"]]);
      return this.#chat(request, url, trace);
    }
    if (url?.pathname !== "/") return text(404, "there is only / and /chat\n");
    if (method !== "GET" && method !== "HEAD") {
      return text(405, "only GET and HEAD\n", [["Allow", "GET, HEAD"]]);
    }
    return { status: 200, ...PAGE };
  }

  async #chat(
    request: ServerRequest<Duplex>,
    url: URL,
    trace: Trace | undefined,
  ): Promise<ServerResponse | undefined> {
    const decision = CHAT.accept(request);
    if ("refusal" in decision) return decision.refusal;
    const wanted = url.searchParams.get("name");
    const name = wanted === null ? undefined : cleanName(wanted);
    if (wanted !== null && name === undefined) return text(400, "that is not a name\n");
    if (this.room.isFull) return text(503, "the room is full\n");
    if (this.#closed !== undefined) return text(503, "the server is going away\n");

    const member = new Member(this.room, name, (given) => this.#log(`${given} joined`));
    const firstBytes = textFrame(JSON.stringify(member.welcome));
    try {
      const { headers, agreement } = decision;
      const parts = await request.switchTo(CHAT.token, { headers, firstBytes });
      trace?.switched(parts);
      this.#attach(member, parts, agreement);
    } catch {
      // The peer is gone.
      this.#leave(member);
    }
    return undefined;
  }

  #attach(member: Member, parts: Parts<Duplex>, agreement: WebSocketAgreement): void {
    const socket = openFrames(parts, agreement, this.#maxMessageBytes);
    this.#webSockets.add(socket);
    this.#heartbeat.watch(socket);
    // A protocol error or a reset: ws closes by itself.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#webSockets.delete(socket);
      this.#leave(member);
    });
    member.attach(socket);
    if (this.#closed !== undefined) socket.close(1001, "the server is going away");
  }

  #leave(member: Member): void {
    const { name } = member;
    member.leave();
    if (name !== undefined) this.#log(`${name} left`);
  }

  #log(what: string): void {
    const here = this.room.names;
    this.#options.log?.(`${what} (${here.length === 0 ? "nobody is" : here.join(", ")} here)`);
  }
}

/** Parses a target in origin or absolute form. CONNECT and `*` match no path of ours. */
function locate(target: string): URL | undefined {
  try {
    return new URL(target, "http://chat.invalid");
  } catch {
    return undefined;
  }
}

function text(
  status: number,
  body: string,
  headers: readonly (readonly [string, string])[] = [],
): ServerResponse {
  return { status, headers: [["Content-Type", "text/plain; charset=utf-8"], ...headers], body };
}
