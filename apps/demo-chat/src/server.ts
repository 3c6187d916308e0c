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
import type WebSocket from "ws";
import { adoptWebSocket, textFrame } from "./adopt-websocket.ts";
import { Heartbeat } from "./heartbeat.ts";
import { Member } from "./member.ts";
import { PAGE } from "./page.ts";
import { cleanName, MAX_MESSAGE_BYTES, SUBPROTOCOL } from "./protocol.ts";
import { Room } from "./room.ts";
import type { Trace } from "./trace.ts";
import { type Agreement, accept } from "./websocket-handshake.ts";

/** A dead peer is noticed after one to two of these. */
const HEARTBEAT_MS = 30_000;

export interface ChatServerOptions {
  readonly host: string;
  /** 0 for any free one. */
  readonly port: number;
  /** Told, in a few words, what happens. */
  readonly log?: ((line: string) => void) | undefined;
  /** Makes a trace for a connection, or none. */
  readonly trace?: ((socket: Socket) => Trace | undefined) | undefined;
  readonly maxMessageBytes?: number | undefined;
  readonly heartbeatMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** Listens; rejects with node:net's error where it cannot. */
export async function startChatServer(options: ChatServerOptions): Promise<ChatServer> {
  // Half-open: after the switch a socket is as it was made, and what is said to a peer that has ended
  // its side still arrives.
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

  /** @internal Made by {@link startChatServer}. */
  constructor(server: Server, options: ChatServerOptions) {
    this.#server = server;
    this.#options = options;
    this.#maxMessageBytes = options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    const { clock = systemClock, heartbeatMs = HEARTBEAT_MS } = options;
    this.#heartbeat = new Heartbeat(clock, heartbeatMs);
    server.on("connection", (socket) => void this.#serve(socket));
    // Too many open files, and the like: those who are here stay.
    server.on("error", (error) => options.log?.(error.message));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** What a browser opens. */
  get url(): string {
    const { host } = this.#options;
    return `http://${host.includes(":") ? `[${host}]` : host}:${this.port}/`;
  }

  /** Resolves when everybody who is here now has left. */
  async everybodyLeft(): Promise<void> {
    const ends = [...this.#webSockets].map(
      (socket) => new Promise((settle) => socket.once("close", settle)),
    );
    await Promise.all(ends);
  }

  /** Says goodbye to everybody, and lets exchanges in hand end. */
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
    // It is closed when the last socket is; a peer that does not answer the close frame is dropped.
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
      // It was gone before it began.
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
    const proposesWebSocket = request.proposal?.offers("websocket") === true;
    const maxMessageBytes = this.#maxMessageBytes;
    const answer = accept(
      { headers: request.headers, proposesWebSocket },
      { protocol: SUBPROTOCOL, maxMessageBytes },
    );
    if (!answer.accepted) return answer;
    const wanted = url.searchParams.get("name");
    const name = wanted === null ? undefined : cleanName(wanted);
    if (wanted !== null && name === undefined) return text(400, "that is not a name\n");
    if (this.room.isFull) return text(503, "the room is full\n");
    if (this.#closed !== undefined) return text(503, "the server is going away\n");

    const member = new Member(this.room, name, (given) => this.#log(`${given} joined`));
    const firstBytes = textFrame(JSON.stringify(member.welcome));
    try {
      const { headers } = answer;
      const parts = await request.switchTo("websocket", { headers, firstBytes });
      trace?.switched(parts);
      this.#seat(member, parts, answer.agreement);
    } catch {
      // The peer is gone, and nobody is left to be told.
      this.#leave(member);
    }
    return undefined;
  }

  #seat(member: Member, parts: Parts<Duplex>, agreement: Agreement): void {
    const socket = adoptWebSocket(parts, "server", agreement, this.#maxMessageBytes);
    this.#webSockets.add(socket);
    this.#heartbeat.watch(socket);
    // A frame that breaks the rules, or a reset: ws closes by itself.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#webSockets.delete(socket);
      this.#leave(member);
    });
    member.sit(socket);
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

/** The place a target names: origin or absolute form. CONNECT and `*` name none of ours. */
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
