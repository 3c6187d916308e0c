import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { memoryPair, type Parts } from "@upgrade/core/io";
import { handOver } from "@upgrade/node";
import { rewind, handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { latin1 } from "../../src/messages.ts";
import { destroyPairs, PAIRS, tcpPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { REQUEST } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

const HELLO = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

describe("takeOver", () => {
  test.each(PAIRS)(
    "over $name: writes nothing, and leaves the response to the owner",
    async ({ make }) => {
      const [io, far] = await make();
      const peer = new ScriptedPeer(far);
      let taken!: Promise<Parts<unknown>>;
      const { connection } = await serve(io, (request) => {
        taken = request.takeOver();
      });
      await peer.send(`${REQUEST.upgrade}early`);
      await turns();
      const parts = await taken;
      expect(parts.io).toBe(io);
      expect(latin1(parts.readBuf)).toBe("early");
      expect(parts.switched).toBe(undefined);
      const next = new ScriptedPeer(io);
      await next.send("mine");
      expect(await peer.read(4)).toBe("mine");
      expect(await connection.closed).toMatchObject({ kind: "taken-apart" });
    },
  );

  test("waits for the responses to earlier requests, and for its own body", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    let taken!: Promise<Parts<unknown>>;
    await serve(io, async (request) => {
      if (request.proposal === undefined) {
        await turns();
        return { status: 200, body: "first" };
      }
      taken = request.takeOver();
      return undefined;
    });
    const proposal = REQUEST.upgrade
      .replace("GET", "POST")
      .replace("Host", "Content-Length: 4\r\nHost");
    await peer.send(`${HELLO}${proposal}bodyearly`);
    expect(await peer.readUntil("first")).toMatch(/^HTTP\/1\.1 200/);
    await turns();
    expect(latin1((await taken).readBuf)).toBe("early");
    expect(peer.unread).toBe("");
  });

  test("needs a proposal, and the first answer wins", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const found: unknown[] = [];
    await serve(io, async (request) => {
      found.push(await request.takeOver().catch((error) => error.code));
      if (request.proposal === undefined) return { status: 204 };
      found.push(await request.takeOver().catch((error) => error.code));
      found.push(await request.switchTo("chat").catch((error) => error.code));
      return undefined;
    });
    await peer.send(HELLO);
    await peer.readHead();
    await peer.send(REQUEST.upgrade);
    await turns();
    expect(found).toEqual([
      "NO_PROPOSAL",
      expect.anything(),
      "ALREADY_ANSWERED",
      "ALREADY_ANSWERED",
    ]);
  });
});

describe("takeOver with ws", () => {
  const adopting = async (io: net.Socket): Promise<WebSocketServer> => {
    const sockets = new WebSocketServer({ noServer: true });
    sockets.on("connection", (socket) => {
      socket.on("message", (message) => socket.send(`echo ${message}`));
    });
    await serve(io, async (request) => {
      const [incoming, socket, head] = await handOver(request);
      sockets.handleUpgrade(incoming, socket, head, (made) => {
        sockets.emit("connection", made, incoming);
      });
    });
    return sockets;
  };

  test("a ws WebSocket on either side", async () => {
    const [near, far] = await tcpPair();
    await adopting(far);
    const client = new WebSocket("ws://a.test/", { createConnection: () => near });
    const echoed = new Promise((resolve) => client.on("message", (text) => resolve(String(text))));
    client.on("open", () => client.send("ping"));
    expect(await echoed).toBe("echo ping");
    const closed = new Promise((resolve) => client.on("close", resolve));
    client.close(1000);
    expect(await closed).toBe(1000);
  });

  test("a frame that came with the proposal is the first message", async () => {
    const [io, far] = await tcpPair();
    const peer = new ScriptedPeer(far);
    await adopting(io);
    const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    const proposal = `GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}`;
    // A masked text frame with the mask 0: RFC 6455 §5.2.
    await peer.send(`${proposal}\x81\x85\x00\x00\x00\x00early`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 [\s\S]*s3pPLMBiTxaQ9kYGzzhZRbK\+xOo=/);
    expect(await peer.read(12)).toBe("\x81\x0aecho early");
  });
});

/**
 * Does what http-proxy does with the socket of an upgrade: asks the upstream server, writes its
 * response verbatim, and pipes both ways.
 */
function proxied(socket: net.Socket, port: number, request: http.RequestOptions): void {
  const outgoing = http.request({ ...request, port, host: "127.0.0.1" });
  outgoing.on("upgrade", (response, upstream, head) => {
    const { rawHeaders } = response;
    const lines = ["HTTP/1.1 101 Switching Protocols"];
    for (let i = 0; i < rawHeaders.length; i += 2)
      lines.push(`${rawHeaders[i]}: ${rawHeaders[i + 1]}`);
    upstream.unshift(head);
    upstream.on("error", () => socket.destroy());
    socket.on("error", () => upstream.destroy());
    socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    upstream.pipe(socket).pipe(upstream);
  });
  outgoing.end();
}

test("an io taken over can be passed to a proxy that writes its own 101", async () => {
  const upstream = http.createServer();
  upstream.on("upgrade", (_, socket: net.Socket, head: Buffer) => {
    socket.write(
      "HTTP/1.1 101 Fine\r\nConnection: Upgrade\r\nUpgrade: chat\r\nX-Of: upstream\r\n\r\nhello ",
    );
    socket.write(`[${head}]`);
    socket.on("data", (bytes) => socket.write(`<${bytes}>`));
    socket.on("end", () => socket.end());
  });
  upstream.listen(0, "127.0.0.1");
  await once(upstream, "listening");
  const { port } = upstream.address() as net.AddressInfo;
  const [far, near] = await tcpPair({ allowHalfOpen: true });
  const peer = new ScriptedPeer(far);
  const { connection } = await serve(near, async (request) => {
    const socket = rewind(await request.takeOver());
    const headers = Object.fromEntries(request.headers);
    proxied(socket, port, { path: request.target, method: request.method, headers });
  });
  await peer.send(`${REQUEST.upgrade}early`);
  expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\nX-Of: upstream\r\n/);
  expect(await peer.readUntil("<early>")).toBe("hello []<early>");
  await peer.send("ping");
  expect(await peer.readUntil(">")).toBe("<ping>");
  await peer.end();
  expect(await peer.readToEnd()).toBe("");
  expect(await connection.closed).toMatchObject({ kind: "taken-apart" });
  upstream.close();
});
