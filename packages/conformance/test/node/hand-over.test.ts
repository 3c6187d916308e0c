import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { Headers } from "@upgrade/core";
import { handOver, incomingMessage } from "@upgrade/node";
import type { Service } from "@upgrade/server";
import httpProxy from "http-proxy";
import { describe, expect, test } from "vitest";
import WebSocket, { WebSocketServer } from "ws";
import { head } from "../../src/messages.ts";
import {
  closeAfterEach,
  closed,
  dial,
  ECHO,
  portOf,
  serveHere,
} from "../../src/pairs/listening.ts";
import { closeLater, portOf as listenOn } from "../../src/pairs/loopback.ts";

closeAfterEach();

const NOT_FOUND = { status: 404 };
const WEBSOCKET = head("GET /", "Connection: Upgrade", "Upgrade: websocket");
const PROPOSAL = ["Connection: Upgrade", "Upgrade: x"];

const FIELDS: readonly (readonly string[])[] = [
  [],
  ["Cookie: a=1", "cookie: b=2"],
  ["X-A: 1", "x-a: 2", "X-B:"],
  ["Set-Cookie: a", "Set-Cookie: b"],
  ["User-Agent: one", "User-Agent: two"],
  ["Authorization: one", "authorization: two"],
  ["Sec-WebSocket-Protocol: a", "Sec-WebSocket-Protocol: b"],
  ["X-Latin: \xe9", "__proto__: x", "Constructor: y"],
  ["Accept:   a  "],
];

interface Facts {
  readonly [name: string]: unknown;
}

function factsOf(req: http.IncomingMessage): Facts {
  const { method, url, headers, rawHeaders, httpVersion, httpVersionMajor, httpVersionMinor } = req;
  const { headersDistinct, trailers, rawTrailers } = req;
  const lines = { headers, headersDistinct, rawHeaders, trailers, rawTrailers };
  return { method, url, httpVersion, httpVersionMajor, httpVersionMinor, ...lines };
}

/** What node:http's own parser makes of a request. */
async function nodesFacts(request: string): Promise<Facts> {
  const server = http.createServer();
  const port = await listenOn(server);
  const socket = net.connect(port, "127.0.0.1", () => socket.write(request, "latin1"));
  const [req] = (await once(server, "upgrade")) as [http.IncomingMessage, net.Socket];
  socket.destroy();
  req.socket.destroy();
  return factsOf(req);
}

describe("(req, socket, head)", () => {
  test.each(FIELDS)("L15: has the headers that node:http has: %s %s", async (...fields) => {
    const request = head(
      "GET /a?b=c",
      ...PROPOSAL,
      ...fields.filter((field) => field !== undefined),
    );
    let ours: Facts = {};
    const server = await serveHere(async (asked) => {
      const [req, socket] = await handOver(asked);
      ours = factsOf(req);
      expect([req.socket, (req as { upgrade?: boolean }).upgrade, req.complete]).toEqual([
        socket,
        true,
        true,
      ]);
      socket.end();
    });
    const client = await dial(server);
    await client.send(request);
    await client.readToEnd();
    expect(ours).toEqual(await nodesFacts(request));
  });

  test("is a true IncomingMessage, also of a CONNECT, and without a socket of ours", () => {
    const headers = Headers.from([["Host", "a.test:1"]]);
    const socket = new net.Socket();
    const request = { method: "CONNECT", target: "a.test:1", version: "1.1", headers } as const;
    const req = incomingMessage(request, socket);
    expect(req).toBeInstanceOf(http.IncomingMessage);
    expect([req.url, req.headers, req.socket]).toEqual(["a.test:1", { host: "a.test:1" }, socket]);
  });

  test("L1: head has what came after the request, however it was split", async () => {
    const request = `${head("GET /", ...PROPOSAL)}early`;
    for (let at = 1; at < request.length; at++) {
      const server = await serveHere(async (asked) => {
        const [, socket, early] = await handOver(asked);
        socket.write(early);
        socket.pipe(socket);
      });
      const client = await dial(server);
      await client.send(request.slice(0, at));
      await client.send(request.slice(at));
      expect(await client.read(5)).toBe("early");
      client.reset();
      await server.close({ upgraded: "abort" });
    }
  });

  test("req has the body, unless the service has read it", async () => {
    const request = head("POST /", ...PROPOSAL, "Content-Length: 4");
    const bodies: string[] = [];
    const server = await serveHere(async (asked) => {
      if (asked.target === "/read") await asked.body.text();
      const [req, socket, early] = await handOver(asked);
      let body = "";
      for await (const chunk of req) body += chunk;
      bodies.push(body, String(early));
      socket.end();
    });
    for (const target of ["/", "/read"]) {
      const client = await dial(server);
      await client.send(request.replace("/", target));
      await client.send("body");
      await client.readToEnd();
      void client.end();
    }
    expect(bodies).toEqual(["body", "", "", ""]);
  });

  test.each([
    ["afterwards", false],
    ["before", true],
  ])("a peer that has ended its side %s ends the socket", async (_, isBefore) => {
    const server = await serveHere(async (asked) => {
      if (isBefore && !asked.peerEnded) await once(asked.signal, "abort");
      const [req, socket, early] = await handOver(asked);
      // What software for node:http does with any socket.
      socket.setTimeout(0).setNoDelay(true).setKeepAlive(true);
      expect([req.socket, socket.remotePort]).toEqual([socket, client.socket.localPort]);
      if (isBefore) expect(String(early)).toBe("all");
      socket.write(early);
      socket.pipe(socket);
    });
    const client = await dial(server);
    void client.send(`${ECHO}all`);
    if (!isBefore) await client.readUntil("all");
    await client.end();
    expect(await client.readToEnd()).toBe(isBefore ? "all" : "");
  });

  test("a request that proposes nothing rejects, and is answered with a 500", async () => {
    const errors: unknown[] = [];
    const service: Service<net.Socket> = async (request) => void (await handOver(request));
    const server = await serveHere(service, { onError: (error) => errors.push(error) });
    const client = await dial(server);
    await client.send(head("GET /"));
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(errors).toMatchObject([{ code: "NO_PROPOSAL" }]);
  });
});

describe("ws on our server", () => {
  async function webSockets() {
    const server = new WebSocketServer({ noServer: true });
    closeLater(() => server.close());
    server.on("connection", (webSocket, req) => {
      webSocket.send(`hello ${req.url}`);
      webSocket.on("message", (data) => webSocket.send(data));
      webSocket.on("error", () => {});
    });
    const service: Service<net.Socket> = async (request) => {
      if (request.proposal === undefined) return NOT_FOUND;
      const [req, socket, early] = await handOver(request);
      server.handleUpgrade(req, socket, early, (webSocket) =>
        server.emit("connection", webSocket, req),
      );
      return undefined;
    };
    return serveHere(service);
  }

  test("greets and echoes; a close on either side ends both", async () => {
    const server = await webSockets();
    const client = new WebSocket(`ws://127.0.0.1:${portOf(server)}/chat`);
    const [greeting] = await once(client, "message");
    expect(String(greeting)).toBe("hello /chat");
    client.send("ping");
    expect(String((await once(client, "message"))[0])).toBe("ping");
    client.close(1000);
    await once(client, "close");
    await server.close({ timeoutMs: 0 });
  });

  test("refuses a version it does not know, by itself", async () => {
    const server = await webSockets();
    const client = await dial(server);
    const fields = ["Sec-WebSocket-Version: 99", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
    await client.send(head("GET /", "Connection: Upgrade", "Upgrade: websocket", ...fields));
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 400 /);
  });

  test.each(["reset", "end"] as const)(
    "a client that goes away (%s) leaves no socket",
    async (way) => {
      const server = await webSockets();
      const client = await dial(server);
      const fields = ["Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="];
      await client.send(head("GET /", "Connection: Upgrade", "Upgrade: websocket", ...fields));
      await client.readUntil("hello /");
      void client[way]();
      await closed(client.socket);
      await server.close({ timeoutMs: 0 });
      expect(server.connections).toBe(0);
    },
  );
});

describe("http-proxy on our server", () => {
  async function proxied(origin: http.Server) {
    const proxy = httpProxy.createProxyServer({
      target: `http://127.0.0.1:${await listenOn(origin)}`,
    });
    proxy.on("error", (_, __, socket) => void (socket as net.Socket).destroy());
    return serveHere(async (request) => {
      if (request.proposal === undefined) return NOT_FOUND;
      const [req, socket, early] = await handOver(request);
      proxy.ws(req, socket, early);
      return undefined;
    });
  }

  function origin(): http.Server {
    const server = http.createServer();
    server.on("upgrade", (_, socket: net.Socket) => {
      closeLater(() => socket.destroy());
      socket.on("error", () => {});
      socket.write("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
      socket.pipe(socket);
    });
    return server;
  }

  test("relays an upgrade, bytes both ways, and the end", async () => {
    const server = await proxied(origin());
    const client = await dial(server);
    await client.send(WEBSOCKET);
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    await client.send("ping");
    expect(await client.read(4)).toBe("ping");
    await client.end();
    await closed(client.socket);
    await server.close({ timeoutMs: 0 });
  });

  test("a client or an origin that is reset leaves no socket", async () => {
    const server = await proxied(origin());
    const client = await dial(server);
    await client.send(WEBSOCKET);
    await client.readHead();
    client.reset();
    const dead = http.createServer().on("upgrade", (_, socket: net.Socket) => {
      socket.resetAndDestroy();
    });
    const other = await proxied(dead);
    const second = await dial(other);
    await second.send(WEBSOCKET);
    await second.readToLast();
    void second.end();
    await Promise.all([server.close({ timeoutMs: 0 }), other.close({ timeoutMs: 0 })]);
  });
});
