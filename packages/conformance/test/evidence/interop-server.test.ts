import { execFile } from "node:child_process";
import { once } from "node:events";
import http from "node:http";
import net from "node:net";
import { Readable } from "node:stream";
import { promisify } from "node:util";
import { type ServerOptions, type Service, handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { installed } from "../../src/installed.ts";
import { closeAll, closeLater, portOf, textOf } from "../../src/pairs/loopback.ts";
import { Client } from "../../src/undici-client.ts";

afterEach(closeAll);

/** Our server on loopback. */
function listen(service: Service<net.Socket>, options: ServerOptions<net.Socket> = {}) {
  const server = net.createServer((socket) => {
    closeLater(() => socket.destroy());
    serveOn(socket, service, options).catch(() => socket.destroy());
  });
  return portOf(server);
}

const PROPOSAL = { Connection: "Upgrade", Upgrade: "echo" };

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
    closeLater(() => agent.destroy());
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
    closeLater(() => client.destroy());
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
    closeLater(() => client.destroy());
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

describe("our server and curl", () => {
  const program = installed("curl");
  const curl = async (...args: string[]) => {
    const { stdout } = await promisify(execFile)(program(), [
      "-sS",
      "--noproxy",
      "*",
      "--max-time",
      "20",
      ...args,
    ]);
    return stdout;
  };

  test("GET twice on one connection, POST, chunked, HEAD, HTTP/1.0", async () => {
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

  test("a large upload waits for 100", async () => {
    const port = await listen(async ({ body }) => ({
      status: 200,
      body: String((await body.bytes({ maxBytes: 4_000_000 })).length),
    }));
    const body = "x".repeat(2_000_000);
    const { stdout } = await new Promise<{ stdout: string }>((resolve, reject) => {
      const child = execFile(
        program(),
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

  test("--http2 keeps its connection after a refused h2c", async () => {
    const port = await listen(answering);
    expect(
      await curl("--http2", "-w", "%{http_version}", "-d", "x", `http://127.0.0.1:${port}/`),
    ).toBe("x1.1");
  });
});
