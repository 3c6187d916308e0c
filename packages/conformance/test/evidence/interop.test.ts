import { execFile, spawnSync } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import { createRequire } from "node:module";
import net from "node:net";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { handshake as connectTo, connect as tunnel, upgrade } from "@upgrade/client";
import { type ServerOptions, type Service, handshake as serveOn } from "@upgrade/server";
import type { Client as UndiciClient } from "undici";
import { afterEach, describe, expect, test } from "vitest";
import { WebSocketServer } from "ws";

// The index of this undici requires Node 22; the modules tested here do not.
const load = createRequire(import.meta.url);
const Client = load("undici/lib/dispatcher/client.js") as typeof UndiciClient;
Object.assign(load("undici/lib/dispatcher/dispatcher.js").prototype, load("undici/lib/api"));

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function portOf(server: net.Server): Promise<number> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  closing.push(() => server.close());
  return (server.address() as net.AddressInfo).port;
}

function open(port: number): net.Socket {
  const socket = net.connect(port, "127.0.0.1");
  closing.push(() => socket.destroy());
  return socket;
}

/** Our server on loopback. */
function listen(service: Service<net.Socket>, options: ServerOptions<net.Socket> = {}) {
  const server = net.createServer((socket) => {
    closing.push(() => socket.destroy());
    serveOn(socket, service, options).catch(() => socket.destroy());
  });
  return portOf(server);
}

async function textOf(stream: AsyncIterable<Uint8Array>): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += Buffer.from(chunk).toString("latin1");
  return text;
}

const PROPOSAL = { Connection: "Upgrade", Upgrade: "echo" };

describe("our client and node:http's server", () => {
  const nodeServer = (handler: http.RequestListener) => http.createServer(handler);

  test("keep-alive, lengths, chunked both ways, trailers", async () => {
    const node = nodeServer((request, response) => {
      void textOf(request).then((body) => {
        if (request.url === "/length") response.setHeader("Content-Length", body.length);
        else response.setHeader("Trailer", "X-Sum");
        response.write(body);
        if (request.url !== "/length") response.addTrailers({ "X-Sum": String(body.length) });
        response.end();
      });
    });
    let connections = 0;
    node.on("connection", () => connections++);
    const port = await portOf(node);
    const { sender, connection } = await connectTo(open(port));
    const headers = { Host: `127.0.0.1:${port}` };
    async function* pieces() {
      yield "pie";
      yield "ces";
    }
    for (const body of ["whole", pieces()]) {
      const first = await sender.sendRequest({ method: "POST", target: "/length", headers, body });
      expect(await first.body.text()).toMatch(/^(whole|pieces)$/);
    }
    const second = await sender.sendRequest({
      method: "POST",
      target: "/chunked",
      headers,
      body: "abc",
    });
    expect([second.headers.get("transfer-encoding"), await second.body.text()]).toEqual([
      "chunked",
      "abc",
    ]);
    expect((await second.trailers).get("x-sum")).toBe("3");
    expect(connections).toBe(1);
    await connection.close();
  });

  test("Expect: 100-continue, granted and refused; 103", async () => {
    const node = nodeServer((request, response) => {
      void textOf(request).then((body) => response.end(body));
    });
    node.on("checkContinue", (request, response) => {
      if (request.url === "/no") {
        response.writeHead(417, { Connection: "close" }).end();
        return;
      }
      response.writeEarlyHints({ link: "</a.css>; rel=preload" });
      response.writeContinue();
      void textOf(request).then((body) => response.end(body));
    });
    const port = await portOf(node);
    const headers = { Host: `127.0.0.1:${port}`, Expect: "100-continue" };
    const { sender } = await connectTo(open(port), { continueMs: 0 });
    const seen: number[] = [];
    const granted = await sender.sendRequest(
      { method: "POST", target: "/yes", headers, body: "body" },
      { onInterim: ({ status }) => seen.push(status) },
    );
    expect([await granted.body.text(), seen]).toEqual(["body", [103, 100]]);
    const refused = await sender.sendRequest({ method: "POST", target: "/no", headers, body: "x" });
    expect(refused.status).toBe(417);
    expect(sender.isClosed).toBe(true);
  });

  test("the upgrade event: bytes both ways, the first with the head", async () => {
    const node = nodeServer((_, response) => response.end());
    node.on("upgrade", (_, socket) => {
      socket.write(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello",
      );
      socket.pipe(socket);
    });
    const port = await portOf(node);
    const socket = open(port);
    const headers = { Host: `127.0.0.1:${port}` };
    const result = await upgrade(socket, { target: "/", protocol: "echo", headers });
    expect(result).toMatchObject({ switched: true, protocol: "echo" });
    if (!result.switched) return;
    expect(result.io).toBe(socket);
    socket.end(" and bye");
    expect(Buffer.from(result.readBuf).toString() + (await textOf(socket))).toBe("hello and bye");
  });

  test("CONNECT: a tunnel, and a refusal", async () => {
    const node = nodeServer((_, response) => response.end());
    node.on("connect", (request, socket) => {
      if (request.url === "no.test:1") {
        socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 2\r\n\r\nno");
        return;
      }
      socket.write("HTTP/1.1 200 Connection established\r\n\r\n");
      socket.pipe(socket);
    });
    const port = await portOf(node);
    const accepted = await tunnel(open(port), "yes.test:1");
    expect(accepted.switched).toBe(true);
    if (!accepted.switched) return;
    accepted.io.end("through");
    expect(await textOf(accepted.io)).toBe("through");
    const refused = await tunnel(open(port), "no.test:1");
    expect(refused.switched).toBe(false);
    if (refused.switched) return;
    expect([refused.response.status, await refused.response.body.text()]).toEqual([407, "no"]);
  });

  test("ws: a handshake, and a message in frames", async () => {
    const wss = new WebSocketServer({ port: 0, host: "127.0.0.1" });
    closing.push(() => wss.close());
    await once(wss, "listening");
    wss.on("connection", (ws) => ws.on("message", (data) => ws.send(`echo ${String(data)}`)));
    const { port } = wss.address() as net.AddressInfo;
    const headers = [
      ["Host", `127.0.0.1:${port}`],
      ["Sec-WebSocket-Version", "13"],
      ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ] as const;
    const result = await upgrade(open(port), { target: "/", protocol: "websocket", headers });
    if (!result.switched) throw new Error(`refused with ${result.response.status}`);
    expect(result.response.headers.get("sec-websocket-accept")).toBe(
      "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
    );
    // A masked text frame, with a mask of zeros.
    result.io.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, ...Buffer.from("hi")]));
    const [frame] = (await once(result.io, "data")) as [Buffer];
    expect(frame.subarray(2).toString()).toBe("echo hi");
    result.io.destroy();
  });
});

const answering: Service<net.Socket> = async (request) => {
  if (request.proposal?.kind === "upgrade" && request.proposal.offers("echo")) {
    const { io, readBuf } = await request.switchTo("echo", { firstBytes: "hello" });
    io.write(readBuf);
    io.pipe(io);
    return;
  }
  if (request.proposal?.kind === "connect") {
    if (request.target === "no.test:1") return { status: 403, body: "no" };
    const { io, readBuf } = await request.switchTo();
    io.write(readBuf);
    io.pipe(io);
    return;
  }
  if (request.target === "/hints") request.sendInterim(103, { Link: "</a.css>; rel=preload" });
  const body = await request.body.text();
  const trailers = await request.trailers;
  if (request.target !== "/chunked") return { status: 200, body };
  return {
    status: 200,
    headers: { Trailer: "X-Sum" },
    body: [body],
    trailers: { "X-Sum": trailers.get("x-sum") ?? "none" },
  };
};

describe("our server and node:http's client", () => {
  const send = (options: http.RequestOptions, write: (request: http.ClientRequest) => void) =>
    new Promise<http.IncomingMessage>((resolve, reject) => {
      const request = http.request({ host: "127.0.0.1", ...options }, resolve);
      request.on("error", reject);
      write(request);
    });

  test("GET and POST on one connection, chunked, with trailers both ways", async () => {
    const port = await listen(answering);
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    closing.push(() => agent.destroy());
    const got = await send({ port, agent, path: "/" }, (request) => request.end());
    expect([got.statusCode, await textOf(got)]).toEqual([200, ""]);
    const length = await send(
      { port, agent, method: "POST", path: "/", headers: { "Content-Length": 3 } },
      (r) => r.end("abc"),
    );
    expect(await textOf(length)).toBe("abc");
    const chunked = await send(
      { port, agent, method: "POST", path: "/chunked", headers: { Trailer: "X-Sum" } },
      (request) => {
        request.write("a");
        request.addTrailers({ "X-Sum": "2" });
        request.end("b");
      },
    );
    expect([await textOf(chunked), chunked.trailers]).toEqual(["ab", { "x-sum": "2" }]);
    expect(chunked.socket).toBe(got.socket);
  });

  test("103 and 100: information and continue events", async () => {
    const port = await listen(answering);
    const seen: (number | string)[] = [];
    const headers = { Expect: "100-continue", "Content-Length": 3 };
    const response = await send({ port, method: "POST", path: "/hints", headers }, (request) => {
      request.on("information", ({ statusCode }) => seen.push(statusCode));
      request.on("continue", () => {
        seen.push("continue");
        request.end("abc");
      });
      request.flushHeaders();
    });
    expect([await textOf(response), seen]).toEqual(["abc", [103, "continue", 100]]);
  });

  test("an upgrade", async () => {
    const port = await listen(answering);
    const request = http.request({ port, host: "127.0.0.1", headers: PROPOSAL });
    request.end();
    const [response, socket, head] = (await once(request, "upgrade")) as [
      http.IncomingMessage,
      net.Socket,
      Buffer,
    ];
    expect([response.statusCode, response.headers.upgrade]).toEqual([101, "echo"]);
    socket.end(" and bye");
    expect(head.toString() + (await textOf(socket))).toBe("hello and bye");
  });

  test("CONNECT, accepted and refused", async () => {
    const port = await listen(answering);
    const ask = async (path: string) => {
      const request = http.request({ port, host: "127.0.0.1", method: "CONNECT", path });
      request.end();
      return (await once(request, "connect")) as [http.IncomingMessage, net.Socket, Buffer];
    };
    const [accepted, socket] = await ask("yes.test:1");
    expect(accepted.statusCode).toBe(200);
    socket.end("through");
    expect(await textOf(socket)).toBe("through");
    const [refused] = await ask("no.test:1");
    expect(refused.statusCode).toBe(403);
  });
});

describe("our server and undici", () => {
  test("Client: POST in pieces and whole, pipelined, trailers, an upgrade, CONNECT", async () => {
    const port = await listen(answering);
    const client = new Client(`http://127.0.0.1:${port}`, { pipelining: 4 });
    closing.push(() => client.destroy());
    const bodies = ["a", "b", "c", "d"];
    const answers = await Promise.all(
      bodies.map((body) =>
        client.request({ path: "/", method: "PUT", body }).then((r) => r.body.text()),
      ),
    );
    expect(answers).toEqual(bodies);
    const body = Readable.from(["pie", "ces"]);
    const chunked = await client.request({ path: "/chunked", method: "POST", body });
    expect([await chunked.body.text(), chunked.trailers]).toEqual(["pieces", { "x-sum": "none" }]);
    const { socket } = await client.upgrade({ path: "/", protocol: "echo" });
    socket.end("!");
    expect(await textOf(socket)).toBe("hello!");
  });

  test("Client: CONNECT", async () => {
    const port = await listen(answering);
    const client = new Client(`http://127.0.0.1:${port}`);
    closing.push(() => client.destroy());
    const { statusCode, socket } = await client.connect({ path: "yes.test:1" });
    expect(statusCode).toBe(200);
    socket.end("through");
    expect(await textOf(socket)).toBe("through");
  });

  test("fetch: GET, POST whole and in pieces", async () => {
    const port = await listen(answering);
    const get = async (init: RequestInit = {}) => {
      const headers = { Connection: "close" };
      return (await fetch(`http://127.0.0.1:${port}/`, { ...init, headers })).text();
    };
    expect(await get()).toBe("");
    expect(await get({ method: "POST", body: "whole" })).toBe("whole");
    const stream = { method: "POST", body: new Blob(["pieces"]).stream(), duplex: "half" } as const;
    expect(await get(stream)).toBe("pieces");
  });
});

const hasCurl = spawnSync("curl", ["--version"]).status === 0;

describe("our server and curl", () => {
  const curl = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)("curl", [
      "-sS",
      "--noproxy",
      "*",
      "--max-time",
      "20",
      ...args,
    ]);
    return stdout;
  };

  test.runIf(hasCurl)("GET twice on one connection, POST, chunked, HEAD, HTTP/1.0", async () => {
    const port = await listen(answering);
    const url = `http://127.0.0.1:${port}`;
    const count = ["-o", "/dev/null", "-w", "%{num_connects}"];
    expect(await curl(`${url}/1`, ...count, "--next", `${url}/2`, "-sS", ...count)).toBe("10");
    expect(await curl("-d", "posted", `${url}/`)).toBe("posted");
    expect(await curl("-d", "posted", "-H", "Transfer-Encoding: chunked", `${url}/chunked`)).toBe(
      "posted",
    );
    expect(await curl("-I", `${url}/`)).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(await curl("-0", "-d", "old", `${url}/`)).toBe("old");
    expect(await curl("-0", "-d", "old", `${url}/chunked`)).toBe("old");
  });

  test.runIf(hasCurl)("a large upload waits for 100", async () => {
    const port = await listen(async ({ body }) => ({
      status: 200,
      body: String((await body.bytes({ maxBytes: 4_000_000 })).length),
    }));
    const body = "x".repeat(2_000_000);
    const { stdout } = await new Promise<{ stdout: string }>((resolve, reject) => {
      const child = execFile(
        "curl",
        [
          "-sSi",
          "--noproxy",
          "*",
          "--max-time",
          "20",
          "-H",
          "Expect: 100-continue",
          "--data-binary",
          "@-",
          `http://127.0.0.1:${port}/`,
        ],
        (error, stdout) => (error ? reject(error) : resolve({ stdout })),
      );
      child.stdin?.end(body);
    });
    expect(stdout).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK\r\n.*2000000$/s);
  });

  test.runIf(hasCurl)("--http2 keeps its connection after a refused h2c", async () => {
    const port = await listen(answering);
    expect(
      await curl("--http2", "-w", "%{http_version}", "-d", "x", `http://127.0.0.1:${port}/`),
    ).toBe("x1.1");
  });
});
