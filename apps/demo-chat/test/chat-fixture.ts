// Shared by most tests: servers that are closed after the test, and a raw peer.

import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { buildSync } from "esbuild";
import { afterEach } from "vitest";
import { type AddressInfo, WebSocketServer } from "ws";
import { type ChatServer, type ChatServerOptions, startChatServer } from "../src/server.ts";

const closers: (() => unknown)[] = [];

afterEach(async () => {
  await Promise.all(closers.splice(0).map((close) => close()));
});

/** Calls `close` when the test is over. */
export function afterTest(close: () => unknown): void {
  closers.push(close);
}

/** The page's script, bundled from its sources. */
export function bundledPage(): Uint8Array {
  const entry = fileURLToPath(new URL("../src/page/main.ts", import.meta.url));
  const made = buildSync({ entryPoints: [entry], bundle: true, format: "iife", write: false });
  return made.outputFiles[0]!.contents;
}

/** In place of the script, where no browser runs it. */
export const NO_SCRIPT = Buffer.from("// no browser runs this\n");

export async function chat(options: Partial<ChatServerOptions> = {}): Promise<ChatServer> {
  const server = await startChatServer({
    host: "127.0.0.1",
    port: 0,
    script: NO_SCRIPT,
    ...options,
  });
  afterTest(() => server.close());
  return server;
}

/** ws's own server. */
export async function wsServer(
  options: ConstructorParameters<typeof WebSocketServer>[0] = {},
): Promise<{ server: WebSocketServer; url: URL }> {
  const server = new WebSocketServer({ host: "127.0.0.1", port: 0, ...options });
  afterTest(() => {
    for (const client of server.clients) client.terminate();
    server.close();
  });
  await once(server, "listening");
  return { server, url: new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`) };
}

/** A TCP server that passes each connection to `serve`. */
export async function rawServer(serve: (socket: Socket) => void): Promise<URL> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    serve(socket);
  });
  afterTest(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
}

/** A connected socket that the test writes to, and that records what it receives. */
export class RawPeer {
  readonly socket: Socket;
  received = Buffer.alloc(0);
  #wake: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("error", () => {});
    socket.on("close", () => this.#wake());
    socket.on("data", (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.#wake();
    });
  }

  static async connect(port: number): Promise<RawPeer> {
    const socket = connect({ port, host: "127.0.0.1" });
    afterTest(() => socket.destroy());
    await once(socket, "connect");
    return new RawPeer(socket);
  }

  get text(): string {
    return this.received.toString("latin1");
  }

  /** Resolves when the received text satisfies the condition, or the socket is closed. */
  async until(condition: (text: string) => boolean): Promise<void> {
    while (!condition(this.text) && !this.socket.destroyed) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}

/** The head of a valid WebSocket request, with lines replaced or removed (undefined). */
export function webSocketRequest(
  changes: Readonly<Record<string, string | undefined>> = {},
  target = "/chat?name=raw",
): string {
  const lines = {
    "Host": "chat.test",
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Protocol": "chat.v1",
    ...changes,
  };
  const head = Object.entries(lines).filter(([, value]) => value !== undefined);
  return `GET ${target} HTTP/1.1\r\n${head.map(([n, v]) => `${n}: ${v}\r\n`).join("")}\r\n`;
}
