import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { upgrade } from "@upgrade/client";
import { ManualClock } from "@upgrade/core/io";
import { type OpenOptions, open, ProxyRefused, type ServeOptions } from "@upgrade/node";
import { ConnectionError, type Service, tunnel } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import {
  closeAfterEach,
  closed,
  credentials,
  echo,
  portOf,
  serveHere,
} from "../../src/pairs/listening.ts";
import { closeLater, portOf as listenOn } from "../../src/pairs/loopback.ts";

closeAfterEach();

const ca = { ca: credentials.cert };

/** A proxy that leads every name to loopback, and records what it was asked. */
async function proxyHere(options: ServeOptions = {}) {
  const asked: (string | undefined)[] = [];
  const service: Service<net.Socket> = async (request) => {
    asked.push(request.target, request.headers.get("proxy-authorization"));
    const upstream = net.connect(Number(/\d+$/.exec(request.target)), "127.0.0.1");
    await once(upstream, "connect");
    await tunnel(request.switchTo(), upstream);
  };
  const proxy = await serveHere(service, options);
  return { port: portOf(proxy), asked, proxy };
}

async function echoes(socket: net.Socket): Promise<void> {
  const headers = { Host: "a.test" };
  const result = await upgrade(socket, { target: "/", protocol: "echo", headers });
  if (!result.switched) throw new Error(`refused: ${result.response.status}`);
  result.io.end("hello");
  let text = "";
  for await (const chunk of result.io) text += chunk;
  expect(text).toBe("hello");
}

const failureOf = (where: string, options: OpenOptions): Promise<unknown> =>
  open(where, options).then(
    (socket) => socket.destroy(),
    (error: unknown) => error,
  );

describe("through a proxy", () => {
  test("TLS to the host, whose name only the proxy resolves", async () => {
    const server = await serveHere(echo, { tls: credentials });
    const { port, asked } = await proxyHere();
    const env = { HTTPS_PROXY: `http://127.0.0.1:${port}` };
    const where = `wss://no.such.host.test:${portOf(server)}` as const;
    const socket = await open(where, { env, tls: { ...ca, servername: "localhost" } });
    expect(socket.authorized).toBe(true);
    expect(asked).toEqual([`no.such.host.test:${portOf(server)}`, undefined]);
    await echoes(socket);
  });

  test("without TLS, for ws:, with the credentials of its URL", async () => {
    const server = await serveHere(echo);
    const { port, asked } = await proxyHere();
    const env = { http_proxy: `http://user:pass%20word@127.0.0.1:${port}` };
    const socket = await open(`ws://a.test:${portOf(server)}`, { env });
    expect(socket).toBeInstanceOf(net.Socket);
    expect(asked).toEqual([`a.test:${portOf(server)}`, `Basic ${btoa("user:pass word")}`]);
    await echoes(socket);
  });

  test("that itself is reached over TLS: TLS inside TLS", async () => {
    const server = await serveHere(echo, { tls: credentials });
    const { port } = await proxyHere({ tls: credentials });
    const socket = await open(`https://a.test:${portOf(server)}`, {
      proxy: `https://localhost:${port}`,
      proxyTls: ca,
      tls: { ...ca, servername: "localhost" },
      tcp: { family: 4 },
    });
    expect(socket).toBeInstanceOf(tls.TLSSocket);
    await echoes(socket);
  });

  test("an IPv6 host is asked for in brackets", async () => {
    const server = await serveHere(echo);
    const { port, asked } = await proxyHere();
    const proxy = new URL(`http://127.0.0.1:${port}`);
    await echoes(await open(`ws://[2001:db8::1]:${portOf(server)}`, { proxy }));
    expect(asked[0]).toBe(`[2001:db8::1]:${portOf(server)}`);
  });

  test("only if NO_PROXY and `proxy: false` allow it", async () => {
    const server = await serveHere(echo);
    const { port, asked } = await proxyHere();
    const http_proxy = `http://127.0.0.1:${port}`;
    await echoes(await open(server.url, { env: { http_proxy, no_proxy: "127.0.0.0/8" } }));
    await echoes(await open(server.url, { env: { http_proxy }, proxy: false }));
    expect(asked).toEqual([]);
  });

  test("L1: bytes that the host sends first come with the socket", async () => {
    const port = await listenOn(net.createServer((socket) => void socket.end("first")));
    // In the same write as the response, so that they are read together.
    const proxy = await listenOn(
      net.createServer((socket) => {
        socket.once("data", () => socket.write("HTTP/1.1 200 OK\r\n\r\nfirst"));
      }),
    );
    const socket = await open(`http://127.0.0.1:${port}`, { proxy: `http://127.0.0.1:${proxy}` });
    const [chunk] = await once(socket, "data");
    expect(String(chunk)).toBe("first");
    socket.destroy();
  });
});

test.each([
  ["in HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n"],
  ["with 204", "HTTP/1.1 204 No Content\r\n\r\n"],
  ["with framing, which does not count", "HTTP/1.1 200 \r\nTransfer-Encoding: chunked\r\n\r\n"],
  ["after interim responses", "HTTP/1.1 100 \r\n\r\nHTTP/1.1 102 \r\n\r\nHTTP/1.1 200 \r\n\r\n"],
])("a proxy that opens a tunnel %s", async (_, response) => {
  const whole = `${response}early`;
  const { proxy } = await scripted((socket) => socket.write(whole));
  const socket = await open("ws://a.test", { proxy });
  const [chunk] = await once(socket, "data");
  expect(String(chunk)).toBe("early");
  socket.destroy();
});

test("a proxy that refuses with a body without end is left at once", async () => {
  const head = "HTTP/1.1 407 \r\nContent-Length: 999999999999\r\n\r\n";
  const { proxy, allClosed } = await scripted((socket) => flood(socket, "x".repeat(1_000), head));
  expect(await failureOf("wss://a.test", { proxy })).toMatchObject({ status: 407 });
  await allClosed();
});

/** A proxy that reacts to CONNECT with these bytes, and its sockets. */
async function scripted(reaction: (socket: net.Socket) => unknown) {
  const sockets: net.Socket[] = [];
  const server = net.createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    closeLater(() => socket.destroy());
    socket.once("data", () => {
      server.emit("asked");
      reaction(socket);
    });
  });
  const port = await listenOn(server);
  const allClosed = () => Promise.all(sockets.map((socket) => closed(socket.resume())));
  return { port, server, allClosed, proxy: `http://u:secret@127.0.0.1:${port}` };
}

describe("a proxy that refuses: PROXY_REFUSED, with the head of its response", () => {
  test.each([
    [407, "Proxy Authentication Required", "give its credentials in its URL"],
    [403, "Forbidden", "it does not allow this destination"],
    [405, "Method Not Allowed", "it is no proxy for CONNECT: check its URL"],
    [502, "Bad Gateway", "it cannot reach the destination"],
    [418, "Teapot", "see the response"],
  ])("%i %s", async (status, reason, advice) => {
    const fields = 'Proxy-Authenticate: Basic realm="x"\r\nContent-Length: 9\r\n';
    const { port, proxy, allClosed } = await scripted((socket) =>
      socket.write(`HTTP/1.1 ${status} ${reason}\r\n${fields}\r\nsome body`),
    );
    const error = await failureOf("wss://a.test", { proxy });
    expect(error).toBeInstanceOf(ProxyRefused);
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "PROXY_REFUSED", status, response: { status, reason } });
    expect((error as ProxyRefused).response.headers.get("proxy-authenticate")).toBe(
      'Basic realm="x"',
    );
    expect(String(error)).toContain(`the proxy 127.0.0.1:${port} answered ${status}: ${advice}`);
    expect(String(error)).not.toContain("secret");
    await allClosed();
  });
});

const OK = "HTTP/1.1 200 OK\r\n";
const SWITCHED = "HTTP/1.1 101 \r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n";

/** Writes for as long as the socket is open, as fast as it is read. */
function flood(socket: net.Socket, piece: string, first = ""): void {
  const write = () => {
    while (!socket.destroyed && socket.write(piece.repeat(64)));
  };
  socket.on("drain", write).write(first);
  write();
}

describe("a proxy that fails: TRANSPORT_FAILED, and nothing is left open", () => {
  test.each<[string, (socket: net.Socket) => unknown]>([
    ["speaks no HTTP", (socket) => socket.write("hello?\r\n\r\n")],
    ["ends without an answer", (socket) => socket.end()],
    ["resets", (socket) => socket.resetAndDestroy()],
    ["switches to another protocol", (socket) => socket.write(SWITCHED)],
    ["sends a head without end", (socket) => flood(socket, `X: ${"y".repeat(1_000)}\r\n`, OK)],
    ["sends interim responses without end", (socket) => flood(socket, "HTTP/1.1 102 \r\n\r\n")],
    ["ends within its answer", (socket) => socket.end("HTTP/1.1 200 OK\r\n")],
    ["opens a tunnel and ends it at once", (socket) => socket.end("HTTP/1.1 200 OK\r\n\r\n")],
    [
      "opens a tunnel and resets it",
      (socket) => socket.write("HTTP/1.1 200 OK\r\n\r\n", () => socket.resetAndDestroy()),
    ],
  ])("%s", async (_, reaction) => {
    const { proxy, port, allClosed } = await scripted(reaction);
    const error = await failureOf("wss://a.test", { proxy });
    expect(error).toMatchObject({ code: "TRANSPORT_FAILED", sent: "nothing" });
    expect(String(error)).toContain(`the proxy 127.0.0.1:${port}`);
    await allClosed();
  });

  test("it is not there", async () => {
    const { proxy } = await proxyHere();
    const port = portOf(proxy);
    await proxy.close();
    const error = await failureOf("wss://a.test", { proxy: `http://127.0.0.1:${port}` });
    expect(String(error)).toContain(`the proxy 127.0.0.1:${port}: nothing listens there`);
    const env = { https_proxy: `http://127.0.0.1:${port}` };
    const named = `the proxy 127.0.0.1:${port} of https_proxy: nothing listens there`;
    expect(String(await failureOf("wss://a.test", { env }))).toContain(named);
  });

  test("the host beyond it has another certificate", async () => {
    const server = await serveHere(echo, { tls: credentials });
    const { port, proxy } = await proxyHere();
    const where = `wss://a.test:${portOf(server)}` as const;
    const error = await failureOf(where, { tls: ca, proxy: `http://127.0.0.1:${port}` });
    const says = `TLS with a.test:${portOf(server)} through the proxy 127.0.0.1:${port}: its certificate is for another name`;
    expect(String(error)).toContain(says);
    await Promise.all([server.close({ timeoutMs: 0 }), proxy.close({ timeoutMs: 0 })]);
  });

  test.each<[string, string]>([
    ["before it answers", ""],
    ["within its answer", "HTTP/1.1 200"],
    ["after it has opened the tunnel", "HTTP/1.1 200 OK\r\n\r\n"],
  ])("it is silent %s: OPEN_TIMEOUT, or CANCELED by the signal", async (_, bytes) => {
    for (const way of ["timeout", "abort"]) {
      const { proxy, server, allClosed } = await scripted((socket) => {
        socket.on("data", () => server.emit("hello"));
        if (bytes !== "") socket.write(bytes);
      });
      const clock = new ManualClock();
      const aborter = new AbortController();
      const { signal } = aborter;
      const failed = failureOf("wss://a.test", { proxy, clock, signal, timeoutMs: 5_000 });
      await once(server, bytes.endsWith("\r\n\r\n") ? "hello" : "asked");
      if (way === "timeout") clock.advance(5_000);
      else aborter.abort();
      const code = way === "timeout" ? "OPEN_TIMEOUT" : "CANCELED";
      expect(await failed).toMatchObject({ code });
      await allClosed();
    }
  });
});
