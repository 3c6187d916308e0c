import { once } from "node:events";
import http from "node:http";
import { handOver, leaveTo } from "@upgrade/node";
import { attach } from "engine.io";
import { Socket as EngineClient } from "engine.io-client";
import { Server as SocketIo } from "socket.io";
import { io as connect } from "socket.io-client";
import { describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import { closeAfterEach, closed, dial, serveHere } from "../../src/pairs/listening.ts";
import { closeLater } from "../../src/pairs/loopback.ts";

closeAfterEach();

/** Our server: proposals go to the listeners of a node:http server, the rest to that server itself. */
function inFrontOf(httpServer: http.Server) {
  const leave = leaveTo(httpServer);
  return serveHere((request) => {
    if (request.proposal === undefined) return leave(request);
    return handOver(request).then((them) => void httpServer.emit("upgrade", ...them));
  });
}

const WEBSOCKET = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

describe("engine.io on our server", () => {
  async function engine() {
    const httpServer = http.createServer();
    const engineServer = attach(httpServer, {});
    closeLater(() => engineServer.close());
    engineServer.on("connection", (socket) =>
      socket.on("message", (data: string) => socket.send(data)),
    );
    return inFrontOf(httpServer);
  }

  test.each([[["polling"]], [["websocket"]], [["polling", "websocket"]]])(
    "over %s",
    async (transports) => {
      const server = await engine();
      const client = new EngineClient(server.url, { transports });
      closeLater(() => client.close());
      await new Promise<void>((resolve) => client.on("open", () => resolve()));
      const echoed = new Promise<unknown>((resolve) => client.on("message", resolve));
      client.send("hello");
      expect(await echoed).toBe("hello");
      if (transports.length > 1 && client.transport.name !== "websocket") {
        await new Promise<void>((resolve) => client.on("upgrade", () => resolve()));
      }
      expect(client.transport.name).toBe(transports.at(-1));
    },
  );

  test.each(["reset", "end"] as const)(
    "a client that goes away (%s) leaves no socket",
    async (way) => {
      const server = await engine();
      const client = await dial(server);
      await client.send(head("GET /engine.io/?EIO=4&transport=websocket", ...WEBSOCKET));
      await client.readUntil('"sid"');
      void client[way]();
      await closed(client.socket);
      await server.close({ timeoutMs: 0 });
      expect(server.connections).toBe(0);
    },
  );
});

describe("socket.io on our server", () => {
  async function socketIo() {
    const httpServer = http.createServer();
    const sockets = new SocketIo(httpServer);
    closeLater(() => sockets.close().catch(() => {}));
    sockets.on("connection", (socket) => socket.on("ask", (text, reply) => reply(`got ${text}`)));
    return { server: await inFrontOf(httpServer), sockets };
  }

  test.each([[["polling"]], [["websocket"]], [["polling", "websocket"]]])(
    "over %s",
    async (transports) => {
      const { server } = await socketIo();
      const client = connect(server.url, { transports, reconnection: false, forceNew: true });
      closeLater(() => client.disconnect());
      await new Promise<void>((resolve, reject) => {
        client.on("connect", resolve).on("connect_error", reject);
      });
      expect(await client.emitWithAck("ask", "this")).toBe("got this");
    },
  );

  test("a client that is reset is disconnected", async () => {
    const { server, sockets } = await socketIo();
    const client = await dial(server);
    const accepted = once(sockets, "connection");
    await client.send(head("GET /socket.io/?EIO=4&transport=websocket", ...WEBSOCKET));
    await client.readUntil('"sid"');
    // One masked text frame: "40", which connects to the namespace "/".
    await client.send(Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x34, 0x30));
    const [socket] = await accepted;
    const gone = new Promise<string>((resolve) => socket.on("disconnect", resolve));
    client.reset();
    expect(await gone).toMatch(/^transport (?:close|error)$/);
    await server.close({ timeoutMs: 0 });
  });
});
