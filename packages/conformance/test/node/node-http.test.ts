import http from "node:http";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { adoptUpgrade, leaveTo, serveUpgrades } from "@upgrade/node";
import { handshake, type ServerOptions, type ServerRequest, switching } from "@upgrade/server";
import express from "express";
import { describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import {
  closeAfterEach,
  closed,
  credentials,
  dial,
  ECHO,
  echo,
  peerOn,
  serveHere,
} from "../../src/pairs/listening.ts";
import { closeLater, open, portOf } from "../../src/pairs/loopback.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";

closeAfterEach();

/** A node:http server whose proposals are ours. */
async function withUpgrades(options: ServerOptions<net.Socket> = {}, service = echo) {
  const httpServer = http.createServer((_, response) => response.end("node"));
  const upgrades = serveUpgrades(httpServer, service, options);
  const port = await portOf(httpServer);
  closeLater(() => upgrades.close({ timeoutMs: 1, upgraded: "abort" }));
  closeLater(() => httpServer.closeAllConnections());
  return { port, upgrades, httpServer, dial: () => new ScriptedPeer(open(port)) };
}

describe("proposals of a node:http server, served by us", () => {
  test("switch; ordinary requests stay with node:http, on the same connection before", async () => {
    const { dial, upgrades } = await withUpgrades();
    const client = dial();
    await client.send(head("GET /"));
    await client.readUntil("node");
    await client.send(`${ECHO}early`);
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect(await client.read(5)).toBe("early");
    expect(upgrades.connections).toBe(1);
    await client.end();
    await client.readToEnd();
  });

  test("L1: are the request that the client sent, octet by octet, however it was split", async () => {
    const lines = [
      "X-A: 1",
      "x-a:  2 ",
      "Cookie: \xe9",
      ...["Connection: Upgrade", "Upgrade: echo"],
    ];
    const request = head("OPTIONS /a?b=%20", ...lines, "Content-Length: 4");
    const seen: unknown[] = [];
    const service = async (asked: ServerRequest<net.Socket>) => {
      const { method, target, headers } = asked;
      seen.push([method, target, headers.toFlat(), await asked.body.text()]);
      const { io, readBuf } = await asked.switchTo("echo");
      io.end(readBuf);
    };
    const { dial } = await withUpgrades({}, service);
    const whole = `${request}bodyearly`;
    for (let at = 1; at < whole.length; at++) {
      const client = dial();
      await client.send(whole.slice(0, at));
      await client.send(whole.slice(at));
      expect(await client.readToEnd()).toMatch(/^HTTP\/1\.1 101 [\s\S]*\r\n\r\nearly$/);
      void client.end();
    }
    const flat = ["Host", "a.test", "X-A", "1", "x-a", "2", "Cookie", "\xe9"];
    flat.push("Connection", "Upgrade", "Upgrade", "echo", "Content-Length", "4");
    for (const one of seen) expect(one).toEqual(["OPTIONS", "/a?b=%20", flat, "body"]);
    expect(seen.length).toBe(whole.length - 1);
  });

  test("CONNECT, too", async () => {
    const service = async (asked: ServerRequest<net.Socket>) => {
      const { io, readBuf } = await asked.switchTo();
      io.end(`${asked.target} ${readBuf.length}`);
    };
    const { dial } = await withUpgrades({}, service);
    const client = dial();
    await client.send("CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\nearly");
    expect(await client.readToEnd()).toMatch(/^HTTP\/1\.1 200 [\s\S]*\r\n\r\na.test:443 5$/);
  });

  test("can be refused, and malformed ones are answered", async () => {
    const { dial } = await withUpgrades();
    const refused = dial();
    await refused.send(ECHO.replace("echo", "other"));
    expect(await refused.readUntil("hello")).toMatch(/^HTTP\/1\.1 200 /);
    const malformed = dial();
    await malformed.send(ECHO.replace("/", "/\xe9"));
    expect(await malformed.readHead()).toMatch(/^HTTP\/1\.1 400 /);
  });

  test("over TLS", async () => {
    const httpsServer = https.createServer(credentials, (_, response) => response.end("node"));
    const upgrades = serveUpgrades(httpsServer, echo);
    const port = await portOf(httpsServer);
    const socket = tls.connect({ port, host: "127.0.0.1", ca: credentials.cert });
    const client = await peerOn(socket, "secureConnect");
    await client.send(`${ECHO}early`);
    await client.readHead();
    expect(await client.read(5)).toBe("early");
    await client.end();
    expect(await client.readToEnd()).toBe("");
    await upgrades.close({ timeoutMs: 0 });
  });

  test("close() waits for them or aborts them, and leaves later ones to node:http", async () => {
    const { dial, upgrades, httpServer } = await withUpgrades();
    const client = dial();
    await client.send(ECHO);
    await client.readHead();
    const closed = upgrades.close({ timeoutMs: 0 });
    expect([httpServer.listenerCount("upgrade"), httpServer.listenerCount("connect")]).toEqual([
      0, 0,
    ]);
    await upgrades.close({ upgraded: "abort" });
    await client.failed();
    await closed;
    const later = dial();
    await later.send(head("GET /"));
    await later.readUntil("node");
  });

  test.each(["reset", "end"] as const)(
    "a client that goes away (%s) at any moment",
    async (way) => {
      const { dial, upgrades } = await withUpgrades();
      for (const bytes of [ECHO.slice(0, 20), ECHO, `${ECHO}early`]) {
        const client = dial();
        await client.send(bytes);
        if (bytes.length > 20) await client.readHead();
        void client[way]();
        await client.readToLast();
      }
      await upgrades.close({ timeoutMs: 0 });
      expect(upgrades.connections).toBe(0);
    },
  );

  test("a socket that is gone before it is adopted", async () => {
    const errors: unknown[] = [];
    const httpServer = http.createServer();
    const gone = new Promise<string>((resolve) => {
      httpServer.on("upgrade", async (req, socket, early) => {
        socket.destroy();
        const { connection } = await handshake(
          await adoptUpgrade(req, socket, early),
          echo as never,
        );
        resolve((await connection.closed).kind);
      });
    });
    const client = new ScriptedPeer(open(await portOf(httpServer)));
    await client.send(ECHO);
    expect([await gone, errors]).toEqual(["failed", []]);
  });

  test("bad input is an INVALID_OPTION", () => {
    const httpServer = http.createServer();
    expect(() => serveUpgrades({} as never, echo)).toThrow(/httpServer is an object, not an http/);
    expect(() => serveUpgrades(undefined as never, echo)).toThrow(/httpServer is undefined/);
    expect(() => serveUpgrades(httpServer, 1 as never)).toThrow(/service is 1, not a function/);
    expect(() => serveUpgrades(httpServer, echo, { idelMs: 1 } as never)).toThrow(
      /idelMs: did you/,
    );
    expect(() => leaveTo(net.createServer() as never)).toThrow(
      /httpServer is an object, not an http/,
    );
    expect(httpServer.listenerCount("upgrade")).toBe(0);
  });
});

/** Our server, which leaves what it does not speak to Express. */
async function withExpress(options: ServerOptions<net.Socket> = {}) {
  const app = express();
  app.use(express.text());
  app.get("/", (req, response) => void response.send(`express ${req.secure} ${req.get("x-a")}`));
  app.post("/", (req, response) => void response.send(`got ${req.body}`));
  const httpServer = http.createServer(app);
  closeLater(() => httpServer.closeAllConnections());
  const service = switching<net.Socket, ["echo"]>(
    [["echo", ({ io, readBuf }) => void io.pipe(io).write(readBuf)]],
    leaveTo(httpServer),
  );
  return { service, httpServer, server: await serveHere(service, options) };
}

describe("a connection that is left to Express", () => {
  test("gets the request, and those after it; our protocols stay ours", async () => {
    const errors: unknown[] = [];
    const { server } = await withExpress({ onError: (error) => errors.push(error) });
    const client = await dial(server);
    await client.send(head("GET /", "X-A: b"));
    expect(await client.readUntil("express false b")).toMatch(/^HTTP\/1\.1 200 /);
    await client.send(head("GET /", "X-A: c"));
    await client.readUntil("express false c");
    const switched = await dial(server);
    await switched.send(`${ECHO}early`);
    await switched.readUntil("early");
    expect([server.connections, errors]).toEqual([2, []]);
  });

  test("L1: gets the body, however it is framed and split", async () => {
    const { server } = await withExpress();
    const type = "Content-Type: text/plain";
    for (const request of [
      `${head("POST /", type, "Content-Length: 5")}hello`,
      `${head("POST /", type, "Transfer-Encoding: chunked")}2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n`,
      // Both are in one packet.
      `${head("GET /")}${head("POST /", type, "Content-Length: 5")}hello`,
    ]) {
      for (let at = 1; at < request.length; at += 3) {
        const client = await dial(server);
        await client.send(request.slice(0, at));
        await client.send(request.slice(at));
        await client.readUntil("got hello");
        client.reset();
      }
    }
  });

  test("waits for our earlier responses", async () => {
    const { httpServer } = await withExpress();
    const leave = leaveTo(httpServer);
    const server = await serveHere((request) =>
      request.target === "/ours" ? { status: 200, body: "ours" } : leave(request),
    );
    const client = await dial(server);
    await client.send(`${head("GET /ours")}${head("GET /")}`);
    expect(await client.readUntil("express")).toMatch(/ours[\s\S]*express$/);
  });

  test("over TLS it is a secure request, with an http and an https server", async () => {
    const { httpServer, server } = await withExpress({ tls: credentials } as never);
    const secure = https.createServer(credentials, httpServer.listeners("request")[0] as never);
    closeLater(() => secure.closeAllConnections());
    const other = await serveHere(leaveTo(secure), { tls: credentials });
    for (const { address } of [server, other]) {
      const { port } = address as net.AddressInfo;
      const socket = tls.connect({ port, host: "127.0.0.1", ca: credentials.cert });
      const client = await peerOn(socket, "secureConnect");
      await client.send(head("GET /"));
      await client.readUntil("express true");
    }
  });

  test("aborts the socket, and reports it, if a listener of the other server throws", async () => {
    const httpServer = http.createServer();
    httpServer.prependListener("connection", () => {
      throw new TypeError("it broke");
    });
    const errors: unknown[] = [];
    const server = await serveHere(leaveTo(httpServer), { onError: (error) => errors.push(error) });
    const client = await dial(server);
    const gone = closed(client.socket);
    client.socket.on("error", () => {});
    await client.send(head("GET /"));
    await gone;
    expect(errors).toMatchObject([{ message: "it broke" }]);
    expect(server.connections).toBe(0);
  });

  test("a client that has already ended its side is answered", async () => {
    const { server } = await withExpress();
    const socket = net.connect({
      port: (server.address as net.AddressInfo).port,
      host: "127.0.0.1",
      allowHalfOpen: true,
    });
    closeLater(() => socket.destroy());
    const client = new ScriptedPeer(socket);
    await client.send(head("GET /", "Connection: close"));
    await client.end();
    expect(await client.readToEnd()).toContain("express");
  });

  test("is refused after part of the body was read: a 500, and WRONG_MOMENT for onError", async () => {
    const { httpServer } = await withExpress();
    const leave = leaveTo(httpServer);
    const errors: unknown[] = [];
    const server = await serveHere(
      async (request) => {
        await request.body.text();
        return leave(request);
      },
      { onError: (error) => errors.push(error) },
    );
    const client = await dial(server);
    await client.send(`${head("POST /", "Content-Length: 5")}hello`);
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(errors).toMatchObject([{ code: "WRONG_MOMENT" }]);
  });

  test.each(["reset", "end"] as const)(
    "a client that goes away (%s) leaves no socket",
    async (way) => {
      const { server } = await withExpress();
      for (const bytes of [head("GET /"), head("POST /", "Content-Length: 9")]) {
        const client = await dial(server);
        await client.send(bytes);
        if (bytes.startsWith("GET")) await client.readUntil("express");
        void client[way]();
        await client.readToLast();
      }
      await server.close({ timeoutMs: 0 });
      expect(server.connections).toBe(0);
    },
  );

  test.each([
    ECHO.replace("echo", "h2c"),
    "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n",
  ])("a proposal that comes back is not left again: %j", async (proposal) => {
    const httpServer = http.createServer();
    const leave = leaveTo(httpServer);
    let calls = 0;
    const service = (request: ServerRequest<net.Socket>) => {
      if (++calls > 3) throw new Error("it is left for ever");
      return leave(request);
    };
    const errors: unknown[] = [];
    const onError = (error: unknown) => errors.push(error);
    const server = await serveHere(service);
    const upgrades = serveUpgrades(httpServer, service, { onError });
    const client = await dial(server);
    await client.send(proposal);
    await client.end();
    expect(await client.readToEnd()).toMatch(/^HTTP\/1\.1 500 /);
    expect(errors).toMatchObject([{ code: "WRONG_MOMENT" }]);
    await upgrades.close({ timeoutMs: 0 });
  });

  test("close() aborts it if asked to", async () => {
    const { server } = await withExpress();
    const client = await dial(server);
    await client.send(head("GET /"));
    await client.readUntil("express");
    await server.close({ upgraded: "abort" });
    await closed(client.socket);
  });
});
