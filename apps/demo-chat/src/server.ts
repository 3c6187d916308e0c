// @upgrade/node ↔ [chat server] ↔ member: the page over HTTP, /chat and /wire over WebSocket

import type { AddressInfo, Socket } from "node:net";
import { type Clock, systemClock, type Trace } from "@upgrade/core/io";
import { type Server, serve } from "@upgrade/node";
import type { Parts, ServerRequest, ServerResponse, ServiceResult } from "@upgrade/server";
import { type WebSocketAgreement, websocket } from "@upgrade/websocket";
import { Allowance } from "./allowance.ts";
import { type ChatSocket, openFrames, textFrame } from "./frames.ts";
import { Heartbeat } from "./heartbeat.ts";
import type { Log } from "./log.ts";
import { Member } from "./member.ts";
import { Metrics } from "./metrics.ts";
import { type PageFiles, pageFiles } from "./page-files.ts";
import {
  CLOSINGS,
  cleanName,
  LOBBY,
  MAX_MESSAGE_BYTES,
  roomOfPath,
  SUBPROTOCOL,
} from "./protocol.ts";
import type { Room } from "./room.ts";
import { Rooms } from "./rooms.ts";
import { WIRE_SUBPROTOCOL } from "./wire/messages.ts";
import { askRefusal } from "./wire/probes.ts";
import { serveWatcher } from "./wire/watching.ts";
import { frame } from "./wire/wire-event.ts";
import { WATCHER_ID, Wires } from "./wire/wires.ts";

/** A dead peer is detected after one or two of these. */
const HEARTBEAT_MS = 30_000;

/** A page asks for a refusal by name: nothing it sends there is long. */
const MAX_ASKED_BYTES = 1024;

// Without context takeover a connection needs no compression window, and short messages stay
// uncompressed, so the trace can show them.
const CHAT = webSocketOf(SUBPROTOCOL);
const WIRE = webSocketOf(WIRE_SUBPROTOCOL);

export interface ChatServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** The bundled script of the page. */
  readonly script: Uint8Array;
  readonly log?: Log | undefined;
  /** Also gets the trace of every connection. */
  readonly trace?: Trace | undefined;
  readonly maxMessageBytes?: number | undefined;
  readonly heartbeatMs?: number | undefined;
  readonly clock?: Clock | undefined;
}

/** Starts listening. @throws As `serve` of `@upgrade/node`. */
export async function startChatServer(options: ChatServerOptions): Promise<ChatServer> {
  const chat = new ChatServer(options);
  await chat.listen();
  return chat;
}

export class ChatServer {
  readonly #rooms = new Rooms();
  readonly #wires = new Wires();
  readonly #options: ChatServerOptions;
  readonly #files: PageFiles;
  readonly #clock: Clock;
  readonly #heartbeat: Heartbeat;
  readonly #metrics = new Metrics(() => ({
    people: this.#rooms.people,
    rooms: this.#rooms.size,
    connections: this.#server.connections,
  }));
  readonly #webSockets = new Set<ChatSocket>();
  #server!: Server;
  #closing: (typeof CLOSINGS)["stopping" | "restarting"] | undefined;

  /** @internal Created by {@link startChatServer}. */
  constructor(options: ChatServerOptions) {
    this.#options = options;
    this.#files = pageFiles(options.script);
    const { clock = systemClock, heartbeatMs = HEARTBEAT_MS } = options;
    this.#clock = clock;
    this.#heartbeat = new Heartbeat(clock, heartbeatMs);
  }

  /** @internal */
  async listen(): Promise<void> {
    const { host, port } = this.#options;
    try {
      this.#server = await serve((request: ServerRequest<Socket>) => this.#answer(request), {
        host,
        port,
        trace: (connection) => this.#trace(connection),
        onError: (error) => {
          const reason = String((error as Error)?.message ?? error);
          this.#options.log?.({ event: "failed", reason });
        },
      });
    } catch (error) {
      this.#heartbeat.stop();
      throw error;
    }
  }

  /** The room of the page at `/`. */
  get room(): Room {
    return this.#rooms.lobby;
  }

  get port(): number {
    return (this.#server.address as AddressInfo).port;
  }

  /** The address to open in a browser. */
  get url(): string {
    return this.#server.url;
  }

  /** Resolves when everyone now connected has left. */
  async allLeft(): Promise<void> {
    const ends = [...this.#webSockets].map(
      (socket) => new Promise((settle) => socket.once("close", settle)),
    );
    await Promise.all(ends);
  }

  /**
   * Closes every WebSocket and lets current exchanges finish.
   *
   * @param why `restarting` tells clients to come back soon.
   */
  close(why: "stopping" | "restarting" = "stopping"): Promise<void> {
    this.#closing = CLOSINGS[why];
    this.#heartbeat.stop();
    for (const socket of this.#webSockets) this.#sayGoodbye(socket);
    // It closes with its last socket; ws drops a peer that does not answer the close frame.
    return this.#server.close();
  }

  #trace(connection: Parameters<Trace>[0]): ReturnType<Trace> {
    const watched = this.#wires.trace(connection);
    const printed = this.#options.trace?.(connection);
    return (event) => {
      watched?.(event);
      this.#metrics.traced(event);
      if (event.type === "refused") {
        this.#options.log?.({ event: "refused", status: event.status });
      }
      printed?.(event);
    };
  }

  #answer(request: ServerRequest<Socket>): ServiceResult | Promise<ServiceResult> {
    const { method } = request;
    const url = locate(request.target);
    if (url?.pathname === "/chat" || url?.pathname === "/wire") {
      if (method !== "GET") return text(405, "only GET\n", [["Allow", "GET"]]);
      return url.pathname === "/chat" ? this.#chat(request, url) : this.#wire(request, url);
    }
    const found = this.#resource(url?.pathname ?? "");
    if (found === undefined) return text(404, "there is only the page, /chat and /wire\n");
    if (method === "GET" || method === "HEAD") return found();
    return text(405, "only GET and HEAD\n", [["Allow", "GET, HEAD"]]);
  }

  #resource(path: string): (() => ServerResponse | Promise<ServerResponse>) | undefined {
    if (path === "/healthz") {
      // A load balancer sends no more clients here while it closes.
      return () => (this.#closing === undefined ? text(200, "ok\n") : this.#goingAway());
    }
    if (path === "/metrics") {
      return async () => ({
        status: 200,
        headers: { "Content-Type": this.#metrics.contentType },
        body: await this.#metrics.read(),
      });
    }
    const file = this.#files.get(roomOfPath(path) === undefined ? path : "/");
    return file === undefined ? undefined : () => file;
  }

  #goingAway(): ServerResponse {
    return text(503, `${(this.#closing ?? CLOSINGS.stopping).reason}\n`);
  }

  async #chat(request: ServerRequest<Socket>, url: URL): Promise<ServerResponse | undefined> {
    const wire = this.#wires.asking(request.target);
    const refusal = await this.#converse(request, url);
    if (typeof refusal?.body === "string") {
      wire?.tell({ type: "body", text: refusal.body, at: this.#clock.now() });
    }
    return refusal;
  }

  async #converse(request: ServerRequest<Socket>, url: URL): Promise<ServerResponse | undefined> {
    const decision = CHAT.accept(request);
    if ("refusal" in decision) return decision.refusal;
    const wanted = url.searchParams.get("name");
    const name = wanted === null ? undefined : cleanName(wanted);
    if (wanted !== null && name === undefined) return text(400, "that is not a name\n");
    const roomName = roomNamed(url.searchParams.get("room"));
    if (roomName === undefined) return text(400, "that is not the name of a room\n");
    if (this.#closing !== undefined) return this.#goingAway();
    const room = this.#rooms.enter(roomName);
    if (room === undefined) return text(503, "there are too many rooms\n");
    if (room.isFull) {
      this.#rooms.leave(roomName);
      return text(503, "the room is full\n");
    }
    const allowance = new Allowance(this.#clock);
    const member = new Member(room, name, allowance, (given) =>
      this.#log("joined", given, roomName, room),
    );
    const welcome = JSON.stringify(member.welcome);
    const leave = (): void => this.#leave(member, room, roomName);
    try {
      const { headers, agreement } = decision;
      const firstBytes = textFrame(welcome);
      const parts = await request.switchTo(CHAT.token, { headers, firstBytes });
      this.#attach(member, this.#open(parts, agreement, welcome), leave);
    } catch {
      // The peer is gone.
      leave();
    }
    return undefined;
  }

  #attach(member: Member, socket: ChatSocket, leave: () => void): void {
    socket.on("close", leave);
    member.attach(socket);
  }

  async #wire(request: ServerRequest<Socket>, url: URL): Promise<ServerResponse | undefined> {
    const decision = WIRE.accept(request);
    if ("refusal" in decision) return decision.refusal;
    const id = url.searchParams.get("of") ?? "";
    if (!WATCHER_ID.test(id)) return text(400, "of must be 22 to 64 letters or digits\n");
    if (this.#closing !== undefined) return this.#goingAway();
    if (this.#wires.has(id)) return text(409, "this page watches already\n");
    if (this.#wires.isFull) return text(503, "too many pages are watching\n");
    try {
      const { headers, agreement } = decision;
      const parts = await request.switchTo(WIRE.token, { headers });
      serveWatcher(this.#open(parts, agreement), {
        id,
        wires: this.#wires,
        allowance: new Allowance(this.#clock),
        ask: (name) => askRefusal(this.url, name, id),
      });
    } catch {
      // The peer is gone.
    }
    return undefined;
  }

  /** @param welcome The text of a frame that was sent with the 101. */
  #open(parts: Parts<Socket>, agreement: WebSocketAgreement, welcome?: string): ChatSocket {
    const maxBytes = this.#options.maxMessageBytes ?? MAX_MESSAGE_BYTES;
    const isChat = agreement.protocol === SUBPROTOCOL;
    const socket = openFrames(parts, agreement, isChat ? maxBytes : MAX_ASKED_BYTES);
    this.#webSockets.add(socket);
    this.#heartbeat.watch(socket);
    // A protocol error or a reset: ws closes by itself.
    socket.on("error", () => {});
    socket.on("message", () => this.#metrics.message());
    socket.on("close", (code, reason) => {
      this.#webSockets.delete(socket);
      this.#metrics.closed(code);
      this.#options.log?.({ event: "closed", code, reason: String(reason) });
    });
    this.#reportFrames(parts.io, socket, welcome);
    this.#sayGoodbye(socket);
    return socket;
  }

  #reportFrames(io: Socket, socket: ChatSocket, welcome: string | undefined): void {
    const wire = this.#wires.on(io);
    if (wire?.isWatched !== true) return;
    const report: Parameters<ChatSocket["report"]>[0] = (whose, opcode, payload) =>
      wire.tell(frame(whose === "ours" ? "server" : "client", opcode, payload, this.#clock.now()));
    if (welcome !== undefined) {
      report("ours", "text", { bytes: Buffer.byteLength(welcome), text: welcome });
    }
    socket.report(report);
  }

  #sayGoodbye(socket: ChatSocket): void {
    if (this.#closing !== undefined) socket.close(this.#closing.code, this.#closing.reason);
  }

  #leave(member: Member, room: Room, roomName: string): void {
    const { name } = member;
    member.leave();
    this.#rooms.leave(roomName);
    if (name !== undefined) this.#log("left", name, roomName, room);
  }

  #log(event: "joined" | "left", name: string, roomName: string, room: Room): void {
    this.#options.log?.({ event, name, room: roomName, people: room.names.length });
  }
}

function webSocketOf(subprotocol: string) {
  return websocket({
    subprotocols: [subprotocol],
    requireSubprotocol: true,
    perMessageDeflate: { serverNoContextTakeover: true, clientNoContextTakeover: true },
    // Programs that are no browser have no origin.
    origins: (origin, { headers }) =>
      origin === undefined || hostOf(origin) === headers.get("host")?.toLowerCase(),
  });
}

function hostOf(origin: string): string | undefined {
  return URL.canParse(origin) ? new URL(origin).host : undefined;
}

/** The room that a client asks for; undefined if that is no name. */
function roomNamed(wanted: string | null): string | undefined {
  return wanted === null || wanted === LOBBY ? LOBBY : roomOfPath(`/r/${wanted}`);
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
