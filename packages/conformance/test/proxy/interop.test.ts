import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import http from "node:http";
import type net from "node:net";
import { promisify } from "node:util";
import { open } from "@upgrade/node";
import { type ReverseProxyOptions, reverseProxy, type TunnelAccount } from "@upgrade/proxy";
import { describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { installed } from "../../src/installed.ts";
import { closeAfterEach, portOf, serveHere } from "../../src/pairs/listening.ts";
import { closeLater } from "../../src/pairs/loopback.ts";
import { Client } from "../../src/undici-client.ts";

closeAfterEach();

const run = promisify(execFile);

/** A server of node:http, and our reverse proxy before it. */
async function before(origin: http.Server, options: Partial<ReverseProxyOptions> = {}) {
  origin.listen(0, "127.0.0.1");
  await once(origin, "listening");
  closeLater(() => {
    origin.closeAllConnections();
    origin.close();
  });
  const { port } = origin.address() as net.AddressInfo;
  const proxy = reverseProxy({
    origin: `http://127.0.0.1:${port}`,
    dial: (where, { signal }) => open(where, { signal, proxy: false }),
    protocols: ["websocket", "echo"],
    forwarded: "x-forwarded",
    ...options,
  });
  closeLater(() => proxy.close());
  const server = await serveHere(proxy);
  return { server, port: portOf(server), url: `http://127.0.0.1:${portOf(server)}` };
}

/** Answers with what it got. */
function mirror(): http.Server {
  return http.createServer(async (request, response) => {
    const hash = createHash("sha256");
    let length = 0;
    for await (const chunk of request) {
      hash.update(chunk as Buffer);
      length += (chunk as Buffer).length;
    }
    const { method, url, rawHeaders, rawTrailers } = request;
    response.setHeader("X-SpElT", ["1", "2"]);
    response.writeHead(203, "As it is", { Trailer: "X-Sum" });
    response.addTrailers({ "X-Sum": "s" });
    const seen = { method, url, rawHeaders, rawTrailers, length, sum: hash.digest("hex") };
    response.end(JSON.stringify(seen));
  });
}

const MEGABYTE = Buffer.alloc(1_000_003, "abcdefg");
const SUM = createHash("sha256").update(MEGABYTE).digest("hex");

describe("through the proxy to node:http:", () => {
  test("a client of node:http, with an upload in chunks, an expectation and trailers", async () => {
    const { port } = await before(mirror());
    const headers = { "Expect": "100-continue", "tRaIlEr": "X-T", "X-Dup": ["a", "b"] };
    const request = http.request({ port, host: "127.0.0.1", method: "PUT", path: "/a", headers });
    request.flushHeaders();
    await once(request, "continue");
    request.addTrailers({ "X-T": "t" });
    request.end(MEGABYTE);
    const [response] = (await once(request, "response")) as [http.IncomingMessage];
    let text = "";
    for await (const chunk of response.setEncoding("utf8")) text += chunk;
    expect([response.statusCode, response.statusMessage]).toEqual([203, "As it is"]);
    expect(response.rawHeaders.join()).toContain("X-SpElT,1,X-SpElT,2");
    expect(response.rawTrailers).toEqual(["X-Sum", "s"]);
    const seen = JSON.parse(text);
    expect(seen).toMatchObject({ method: "PUT", url: "/a", length: MEGABYTE.length, sum: SUM });
    expect(seen.rawHeaders.join()).toContain("tRaIlEr,X-T,X-Dup,a,X-Dup,b");
    expect(seen.rawHeaders.join()).toContain("X-Forwarded-For,127.0.0.1");
    expect(seen.rawTrailers).toEqual(["X-T", "t"]);
    request.destroy();
  });

  test("undici, one connection and many requests, over few connections to the origin", async () => {
    const origin = mirror();
    let connections = 0;
    origin.on("connection", () => connections++);
    const { url } = await before(origin);
    const client = new Client(url);
    closeLater(() => client.destroy());
    for (let i = 0; i < 20; i++) {
      const { statusCode, body } = await client.request({
        method: "POST",
        path: `/${i}`,
        body: "hi",
      });
      expect(statusCode).toBe(203);
      expect(await body.json()).toMatchObject({ url: `/${i}`, length: 2 });
    }
    expect(connections).toBe(1);
  });

  test("an origin that resets every other connection never answers for another request", async () => {
    let count = 0;
    const origin = http.createServer((request, response) => {
      if (++count % 2 === 0) request.socket.resetAndDestroy();
      else response.end(request.url);
    });
    const { url } = await before(origin);
    for (let i = 0; i < 10; i++) {
      const response = await fetch(`${url}/${i}`);
      const text = await response.text();
      if (i % 2 === 0) expect([response.status, text]).toEqual([200, `/${i}`]);
      else
        expect([response.status, response.headers.get("proxy-status")]).toEqual([
          502,
          "proxy; error=connection_terminated",
        ]);
    }
  });

  describe("curl", () => {
    const curl = installed("curl");

    test("uploads with an expectation, also as HTTP/1.0, and its h2c is ignored", async () => {
      const { url } = await before(mirror());
      for (const flags of [
        ["--http1.1", "-H", "Expect: 100-continue"],
        ["--http1.0"],
        ["--http2"],
      ]) {
        const args = ["-sS", "--noproxy", "*", ...flags, "-d", "hello", `${url}/up`];
        const { stdout } = await run(curl(), args);
        const seen = JSON.parse(stdout);
        expect(seen).toMatchObject({ method: "POST", url: "/up", length: 5 });
        expect(seen.rawHeaders.join()).not.toMatch(/h2c|settings/i);
      }
    });
  });
});

describe("a WebSocket of ws goes through the proxy:", () => {
  /** A WebSocket server on node:http. */
  function chat(options: ConstructorParameters<typeof WebSocketServer>[0] = {}): http.Server {
    const server = http.createServer((_, response) => {
      response.writeHead(426, { Connection: "Upgrade", Upgrade: "websocket" }).end("speak up");
    });
    const sockets = new WebSocketServer({ server, ...options });
    sockets.on("connection", (socket) => {
      socket.send("welcome");
      socket.on("message", (data, isBinary) => socket.send(data, { binary: isBinary }));
    });
    closeLater(() => sockets.close());
    return server;
  }

  test("with a subprotocol, compression, messages both ways, and its end accounted for", async () => {
    const ends: TunnelAccount[] = [];
    let ended!: () => void;
    const over = new Promise<void>((resolve) => {
      ended = resolve;
    });
    const onTunnel = (end: TunnelAccount) => {
      ends.push(end);
      ended();
    };
    const { port } = await before(chat({ perMessageDeflate: true }), { onTunnel });
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`, "chat");
    closeLater(() => socket.terminate());
    const messages: string[] = [];
    socket.on("message", (data) => messages.push(String(data)));
    await once(socket, "open");
    const text = "x".repeat(300_000);
    socket.send(text);
    while (messages.length < 2) await once(socket, "message");
    expect([socket.protocol, socket.extensions]).toEqual(["chat", "permessage-deflate"]);
    expect(messages).toEqual(["welcome", text]);
    socket.close(1000);
    await once(socket, "close");
    await over;
    expect(ends).toMatchObject([{ protocol: "websocket" }]);
    expect(ends[0]!.up).toBeGreaterThan(0);
    expect(ends[0]!.error).toBeUndefined();
  });

  test("refused, with the status and the body of the server", async () => {
    const { port } = await before(chat({ verifyClient: (_, done) => done(false, 403, "not you") }));
    const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
    const [request, response] = (await once(socket, "unexpected-response")) as [
      http.ClientRequest,
      http.IncomingMessage,
    ];
    let text = "";
    for await (const chunk of response) text += chunk;
    expect([response.statusCode, text]).toEqual([403, "not you"]);
    request.destroy();
  });

  test("not proposed, with the server's 426", async () => {
    const { url } = await before(chat());
    const response = await fetch(url);
    expect([response.status, response.headers.get("upgrade"), await response.text()]).toEqual([
      426,
      "websocket",
      "speak up",
    ]);
  });

  test("and ends with the server that is killed, and with the client that is", async () => {
    const server = chat();
    const sockets: net.Socket[] = [];
    server.on("connection", (socket) => sockets.push(socket));
    const { port, server: proxy } = await before(server);
    const first = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(first, "message");
    sockets[0]!.resetAndDestroy();
    await Promise.race([once(first, "close"), once(first, "error")]);
    const second = new WebSocket(`ws://127.0.0.1:${port}/`);
    await once(second, "message");
    const closed = once(sockets[1]!, "close");
    second.terminate();
    await closed;
    await proxy.close();
    expect(proxy.connections).toBe(0);
  });
});
