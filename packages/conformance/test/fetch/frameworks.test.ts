import { once } from "node:events";
import net from "node:net";
import { type FetchHandler, fetchService, handshake, switching } from "@upgrade/server";
import { H3, HTTPError } from "h3";
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { HTTPException } from "hono/http-exception";
import { streamText } from "hono/streaming";
import { FastResponse } from "srvx";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import { head } from "../../src/messages.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

// The same little application, written for each framework as its own documentation does.

function hono(): FetchHandler {
  const app = new Hono();
  app.get("/hello/:name", (c) => c.text(`hello ${c.req.param("name")} ${c.req.query("q")}`));
  app.post("/json", async (c) => c.json({ got: await c.req.json() }, 201));
  app.post("/echo", (c) => c.body(c.req.raw.body!));
  app.post("/limited", bodyLimit({ maxSize: 10 }), async (c) => c.text(await c.req.text()));
  app.get("/cookies", (c) => {
    c.header("Set-Cookie", "a=1", { append: true });
    c.header("Set-Cookie", "b=2; Path=/", { append: true });
    return c.text(c.req.header("cookie") ?? "none");
  });
  app.delete("/item", (c) => c.body(null, 204));
  app.get("/socket", (c) => c.text("Expected WebSocket", 426, { Upgrade: "websocket" }));
  app.get("/url", (c) => c.text(c.req.url));
  app.get("/broken", () => {
    throw new HTTPException(500, { message: "broken" });
  });
  app.get("/slow", (c) =>
    streamText(c, async (stream) => {
      await stream.write("one ");
      await turns(2);
      await stream.write("two");
    }),
  );
  return (request) => app.fetch(request);
}

function h3(): FetchHandler {
  const app = new H3({ silent: true });
  app.get("/hello/:name", (event) => {
    return `hello ${event.context.params!.name} ${event.url.searchParams.get("q")}`;
  });
  app.post("/json", async (event) => {
    event.res.status = 201;
    return { got: await event.req.json() };
  });
  app.post("/echo", (event) => event.req.body);
  app.post("/limited", async (event) => {
    let size = 0;
    for await (const chunk of event.req.body!) {
      size += chunk.length;
      if (size > 10) throw new HTTPError({ status: 413 });
    }
    return `${size}`;
  });
  app.get("/cookies", (event) => {
    event.res.headers.append("Set-Cookie", "a=1");
    event.res.headers.append("Set-Cookie", "b=2; Path=/");
    return event.req.headers.get("cookie") ?? "none";
  });
  app.delete("/item", (event) => {
    event.res.status = 204;
    return null;
  });
  app.get("/socket", (event) => {
    event.res.status = 426;
    event.res.headers.set("Upgrade", "websocket");
    return "Expected WebSocket";
  });
  app.get("/url", (event) => event.req.url);
  app.get("/broken", () => {
    throw new Error("broken");
  });
  app.get("/slow", () => slow());
  return app.fetch;
}

function slow(): ReadableStream<Uint8Array> {
  return new ReadableStream({
    async start(controller) {
      controller.enqueue(Buffer.from("one "));
      await turns(2);
      controller.enqueue(Buffer.from("two"));
      controller.close();
    },
  });
}

type Route = (request: Request, url: URL) => Response | Promise<Response>;

const ROUTES: Record<string, Route> = {
  "GET /hello/you": (_, url) => new FastResponse(`hello you ${url.searchParams.get("q")}`),
  "POST /json": async (request) => {
    const text = JSON.stringify({ got: await request.json() });
    return new FastResponse(text, { status: 201, headers: { "Content-Type": "application/json" } });
  },
  "POST /echo": (request) => new FastResponse(request.body),
  "POST /limited": async (request) => {
    const reader = request.body!.getReader();
    for (let size = 0; size <= 10; ) {
      const { done, value } = await reader.read();
      if (done) return new FastResponse(`${size}`);
      size += value.length;
    }
    return new FastResponse("too large", { status: 413 });
  },
  "GET /cookies": (request) => {
    const headers = new Headers([
      ["Set-Cookie", "a=1"],
      ["Set-Cookie", "b=2; Path=/"],
    ]);
    return new FastResponse(request.headers.get("cookie") ?? "none", { headers });
  },
  "DELETE /item": () => new FastResponse(null, { status: 204 }),
  "GET /socket": () => new FastResponse("Expected WebSocket", { status: 426 }),
  "GET /url": (request) => new FastResponse(request.url),
  "GET /broken": () => {
    throw new Error("broken");
  },
  "GET /slow": () => new FastResponse(slow()),
};

/** A handler as `serve({ fetch })` of srvx takes it, with its own Response. */
const srvx = (): FetchHandler => (request) => {
  const url = new URL(request.url);
  const route = ROUTES[`${request.method} ${url.pathname}`];
  return route?.(request, url) ?? new FastResponse("not found", { status: 404 });
};

const APPS: [string, () => FetchHandler][] = [
  ["hono", hono],
  ["h3", h3],
  ["srvx", srvx],
];

const SOME = Buffer.from("some");

const servers: net.Server[] = [];
const sockets = new Set<net.Socket>();
afterEach(() => {
  for (const server of servers.splice(0)) server.close();
  for (const socket of sockets) socket.destroy();
});

async function listening(handler: FetchHandler) {
  const reports: unknown[] = [];
  const ended: string[] = [];
  const service = fetchService(handler);
  const server = net.createServer({ allowHalfOpen: true }, async (socket) => {
    sockets.add(socket.once("close", () => sockets.delete(socket)));
    const onError = (error: unknown) => reports.push(error);
    const { connection } = await handshake(socket, service, { onError });
    ended.push((await connection.closed).kind);
  });
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as net.AddressInfo;
  return { reports, ended, port, origin: `http://127.0.0.1:${port}` };
}

describe.each(APPS)(
  "an application of %s, with the fetch of undici, which is Node's:",
  (_, make) => {
    test("routes, queries, and the URL", async () => {
      const { origin, reports } = await listening(make());
      expect(await (await fetch(`${origin}/hello/you?q=a%20b`)).text()).toBe("hello you a b");
      expect(await (await fetch(`${origin}/url?x`)).text()).toBe(`${origin}/url?x`);
      expect((await fetch(`${origin}/none`)).status).toBe(404);
      expect(reports).toEqual([]);
    });

    test("JSON, both ways", async () => {
      const { origin } = await listening(make());
      const headers = { "Content-Type": "application/json" };
      const response = await fetch(`${origin}/json`, {
        method: "POST",
        headers,
        body: '{"a":[1,2]}',
      });
      expect(response.status).toBe(201);
      expect(await response.json()).toEqual({ got: { a: [1, 2] } });
    });

    test("a megabyte, streamed there and back", async () => {
      const { origin, reports } = await listening(make());
      const sent = Buffer.alloc(1_048_576, "0123456789");
      const body = new ReadableStream({
        start(controller) {
          for (let at = 0; at < sent.length; at += 65_536) {
            controller.enqueue(sent.subarray(at, at + 65_536));
          }
          controller.close();
        },
      });
      const response = await fetch(`${origin}/echo`, { method: "POST", body, duplex: "half" });
      expect(sent.equals(Buffer.from(await response.arrayBuffer()))).toBe(true);
      expect(reports).toEqual([]);
    });

    test("cookies, both ways", async () => {
      const { origin } = await listening(make());
      const response = await fetch(`${origin}/cookies`, { headers: { Cookie: "x=1; y=2" } });
      expect(response.headers.getSetCookie()).toEqual(["a=1", "b=2; Path=/"]);
      expect(await response.text()).toBe("x=1; y=2");
    });

    test("204, 426, HEAD, and a stream", async () => {
      const { origin, reports } = await listening(make());
      const deleted = await fetch(`${origin}/item`, { method: "DELETE" });
      expect([deleted.status, await deleted.text()]).toEqual([204, ""]);
      const refused = await fetch(`${origin}/socket`);
      expect([refused.status, refused.headers.get("upgrade"), await refused.text()]).toEqual([
        426,
        "websocket",
        "Expected WebSocket",
      ]);
      const { status } = await fetch(`${origin}/url`, { method: "HEAD" });
      // Only hono and h3 answer HEAD by their routes for GET.
      expect([200, 404]).toContain(status);
      expect(await (await fetch(`${origin}/slow`)).text()).toBe("one two");
      expect(reports).toEqual([]);
    });

    test("a handler that throws", async () => {
      const { origin } = await listening(make());
      const response = await fetch(`${origin}/broken`);
      expect(response.status).toBe(500);
      await response.text();
    });

    test("a body that is over the application's limit leaves the connection in order", async () => {
      const { port, reports } = await listening(make());
      const socket = net.connect(port, "127.0.0.1");
      const peer = new ScriptedPeer(socket);
      await peer.send(head("POST /limited", "Transfer-Encoding: chunked"));
      await peer.send(`14\r\n${"x".repeat(20)}\r\n`);
      expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 413 /);
      await turns();
      await peer.send(`14\r\n${"x".repeat(20)}\r\n0\r\n\r\n${head("GET /hello/you?q=1")}`);
      await peer.readUntil("hello you 1");
      expect(reports).toEqual([]);
      socket.destroy();
    });

    test.each(["/echo", "/json"])("a client that aborts an upload to %s", async (path) => {
      const unhandled = watchUnhandled();
      const handler = make();
      let signal: AbortSignal | undefined;
      const { origin, ended } = await listening((request) => {
        signal = request.signal;
        return handler(request);
      });
      const client = new AbortController();
      const start = (controller: ReadableStreamDefaultController) => controller.enqueue(SOME);
      const body = new ReadableStream({ start });
      const init = { method: "POST", body, duplex: "half", signal: client.signal } as const;
      const response = fetch(origin + path, init);
      // An echo has begun to answer; what parses the whole body has not.
      const outcome = response.then(
        () => "answered",
        () => "aborted",
      );
      if (path === "/echo") expect(await outcome).toBe("answered");
      while (signal === undefined) await turns();
      client.abort();
      while (ended.length === 0 || sockets.size > 0) await turns();
      expect([ended[0], signal.aborted]).toEqual(["failed", true]);
      expect(await outcome).toBe(path === "/echo" ? "answered" : "aborted");
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    });
  },
);

test("beside protocols, the handler gets what proposes none", async () => {
  const app = new Hono().get("/", (c) => c.text("hello"));
  const service = switching(
    [["echo", ({ io }) => void (io as net.Socket).on("error", () => {}).end("welcome")]],
    fetchService((request) => app.fetch(request)),
  );
  const server = net.createServer((socket) => void handshake(socket, service));
  servers.push(server);
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as net.AddressInfo;
  const peer = new ScriptedPeer(net.connect(port, "127.0.0.1"));
  await peer.send(head("GET /"));
  await peer.readUntil("hello");
  await peer.readUntil("0\r\n\r\n");
  await peer.send(head("GET /", "Connection: Upgrade", "Upgrade: echo"));
  expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 /);
  expect(await peer.readToEnd()).toBe("welcome");
});

test("a WebSocket client gets the 426 of everyday code as a failed handshake", async () => {
  const { origin, reports } = await listening(
    () => new Response("Expected WebSocket", { status: 426 }),
  );
  const socket = new WebSocket(origin.replace("http", "ws"));
  const [error] = await once(socket, "error");
  expect(error.message).toBe("Unexpected server response: 426");
  expect(reports).toEqual([]);
});
