import diagnostics from "node:diagnostics_channel";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import tls from "node:tls";
import { upgrade } from "@upgrade/client";
import { ManualClock } from "@upgrade/core/io";
import { type Address, type OpenOptions, open } from "@upgrade/node";
import { ConnectionError, gatewayStatus, LocalProtocolError } from "@upgrade/server";
import { describe, expect, test, vi } from "vitest";
import { closedPort } from "../../src/pairs/closed-port.ts";
import {
  closeAfterEach,
  closed,
  credentials,
  echo,
  portOf,
  serveHere,
} from "../../src/pairs/listening.ts";
import { closeLater, portOf as listenOn } from "../../src/pairs/loopback.ts";
import { turns } from "../../src/turns.ts";

closeAfterEach();

const ca = { ca: credentials.cert };
// The environment of the machine must not matter.
const env = {};

async function echoes(socket: net.Socket): Promise<void> {
  const headers = { Host: "a.test" };
  const result = await upgrade(socket, { target: "/", protocol: "echo", headers });
  if (!result.switched) throw new Error(`refused: ${result.response.status}`);
  expect(result.io).toBe(socket);
  result.io.end("hello");
  let text = "";
  for await (const chunk of result.io) text += chunk;
  expect(text).toBe("hello");
}

const failureOf = (where: string | URL | Address, options: OpenOptions = {}): Promise<unknown> =>
  open(where, { env, ...options }).then(
    (socket) => socket.destroy(),
    (error: unknown) => error,
  );

describe("a socket to", () => {
  test.each(["http", "ws"])("%s://", async (scheme) => {
    const server = await serveHere(echo);
    const socket = await open(`${scheme}://127.0.0.1:${portOf(server)}/chat?a=b`, { env });
    expect(socket).not.toBeInstanceOf(tls.TLSSocket);
    await echoes(socket);
  });

  test.each(["https", "wss"] as const)(
    "%s://, with a name and with an IP address",
    async (scheme) => {
      const server = await serveHere(echo, { tls: credentials });
      for (const host of ["localhost", "127.0.0.1"]) {
        const tcp = { family: 4 };
        const socket = await open(`${scheme}://${host}:${portOf(server)}`, { env, tls: ca, tcp });
        expect([socket.authorized, socket.alpnProtocol]).toEqual([true, "http/1.1"]);
        expect(socket.servername || "").toBe(host === "localhost" ? host : "");
        await echoes(socket);
      }
    },
  );

  test("the URL of a server, for both schemes and a Unix socket", async () => {
    const folder = mkdtempSync(join(tmpdir(), "upgrade-"));
    closeLater(() => rmSync(folder, { recursive: true }));
    const path = join(folder, "a b.sock");
    await echoes(await open((await serveHere(echo)).url, { env }));
    await echoes(await open((await serveHere(echo, { tls: credentials })).url, { env, tls: ca }));
    // Without the host, which a path cannot have.
    const onPath = await serveHere(echo, { host: undefined, path });
    await echoes(await open(onPath.url, { env }));
    await echoes(await open(`unix://${path}`));
    await echoes(await open({ path }));
    // A URL is percent-encoded, a string is not.
    await echoes(await open(new URL(onPath.url)));
    await echoes(await open(`UNIX:${path}`));
  });

  test("an address, with and without TLS", async () => {
    const plain = await serveHere(echo);
    await echoes(await open({ host: "127.0.0.1", port: portOf(plain) }, { env }));
    const secure = await serveHere(echo, { tls: credentials });
    const socket = await open({ port: portOf(secure) }, { env, tls: ca, tcp: { family: 4 } });
    expect(socket.authorized).toBe(true);
    await echoes(socket);
  });

  test("a host of which only the second address answers", async () => {
    const server = await serveHere(echo);
    const lookup: net.LookupFunction = (_, __, found) =>
      found(null, [
        { address: "::1", family: 6 },
        { address: "127.0.0.1", family: 4 },
      ]);
    const tcp = { lookup, autoSelectFamily: true };
    await echoes(await open(`ws://a.test:${portOf(server)}`, { env, tcp }));
  });

  test("sends without delay, and is half-open only if asked to", async () => {
    const server = await serveHere(echo);
    const socket = await open(server.url, { env });
    expect(socket.allowHalfOpen).toBe(false);
    socket.destroy();
    const halfOpen = await open(server.url, { env, tcp: { allowHalfOpen: true } });
    expect(halfOpen.allowHalfOpen).toBe(true);
    halfOpen.destroy();
  });

  test("has no listeners of ours but the one that keeps its failure from ending the process", async () => {
    const server = await serveHere(echo);
    const socket = await open(server.url, { env });
    expect(socket.listenerCount("error")).toBe(1);
    expect(socket.listenerCount("close") + socket.listenerCount("connect")).toBe(0);
    socket.destroy(new Error("unheard"));
    await closed(socket);
  });
});

describe("a failure is typed, says what to do, and may be tried again", () => {
  const expectFailure = (error: unknown, says: string, code?: string): void => {
    expect(error).toBeInstanceOf(ConnectionError);
    expect(error).toMatchObject({ code: "TRANSPORT_FAILED", sent: "nothing", retrySafe: true });
    expect(String(error)).toContain(says);
    if (code !== undefined) expect(error).toMatchObject({ cause: { code } });
  };

  test("a refused port", async () => {
    const port = await closedPort();
    const error = await failureOf(`ws://127.0.0.1:${port}`);
    expectFailure(error, `127.0.0.1:${port}: nothing listens there`, "ECONNREFUSED");
    expect(gatewayStatus(error)).toBe(502);
  });

  test("all addresses of a host refuse: Node's error has no message", async () => {
    const port = await closedPort();
    const lookup: net.LookupFunction = (_, __, found) =>
      found(null, [
        { address: "127.0.0.1", family: 4 },
        { address: "127.0.0.2", family: 4 },
      ]);
    const tcp = { lookup, autoSelectFamily: true };
    expectFailure(await failureOf(`ws://a.test:${port}`, { tcp }), "nothing listens there");
  });

  test("no such host", async () => {
    const lookup: net.LookupFunction = (_, __, found) =>
      found(Object.assign(new Error("getaddrinfo ENOTFOUND"), { code: "ENOTFOUND" }), []);
    const error = await failureOf("wss://a.test", { tcp: { lookup } });
    expectFailure(error, "a.test:443: no such host: check the name (ENOTFOUND)", "ENOTFOUND");
  });

  test("no such Unix socket", async () => {
    expectFailure(
      await failureOf("unix:/no/such.sock"),
      "there is no socket at this path",
      "ENOENT",
    );
  });

  test("a certificate for another name, one that is not trusted, and a port without TLS", async () => {
    const server = await serveHere(echo, { tls: credentials });
    const other = await failureOf(server.url, { tls: { ...ca, servername: "a.test" } });
    expectFailure(other, "its certificate is for another name", "ERR_TLS_CERT_ALTNAME_INVALID");
    const untrusted = await failureOf(server.url);
    expectFailure(untrusted, "give the authority that signed it in tls.ca");
    const plain = await serveHere(echo);
    const noTls = await failureOf(`wss://127.0.0.1:${portOf(plain)}`);
    expectFailure(noTls, "it does not speak TLS: check the scheme and the port");
    await Promise.all([server, plain].map((one) => one.close({ timeoutMs: 0 })));
  });

  test("a server that ends or resets during TLS", async () => {
    for (const act of ["end", "resetAndDestroy"] as const) {
      const port = await listenOn(net.createServer((socket) => void socket.resume()[act]()));
      expectFailure(await failureOf(`wss://127.0.0.1:${port}`), `127.0.0.1:${port}: `);
    }
  });
});

describe("bad input is an INVALID_OPTION that says what to do", () => {
  test.each<[unknown, unknown, string]>([
    ["a.test", {}, "it is no URL: it needs a scheme and a host"],
    ["ftp://a.test", {}, "ftp: is no scheme to open: http:, https:, ws:, wss: and unix: are"],
    ["localhost:8080", {}, "localhost: is no scheme to open"],
    ["unix:", {}, "path is a string, not a path of 1 to"],
    ["ws://a.test", { tls: {} }, "tls is not for ws:: use https: or wss:"],
    [8080, {}, "where to connect is 8080, not a URL or an object"],
    [null, {}, "where to connect is null"],
    [{}, {}, "give a port from 1 to 65535, or a path alone"],
    [{ port: 0 }, {}, "give a port from 1 to 65535, or a path alone"],
    [{ port: 1, path: "/a" }, {}, "give a port from 1 to 65535, or a path alone"],
    [{ port: "80" }, {}, "port is a string, not a whole number"],
    [{ hosts: "a.test", port: 1 }, {}, "hosts: did you mean host?"],
    ["ws://a.test", { timeout: 1 }, "timeout: did you mean timeoutMs?"],
    ["ws://a.test", { timeoutMs: -1 }, "timeoutMs is -1, not a whole number of milliseconds"],
    ["ws://a.test", { proxy: "socks5://p.test" }, "proxy is not a proxy for CONNECT"],
    ["ws://a.test", { proxy: 3128 }, "proxy is 3128, not a URL, or false"],
    ["ws://a.test", { env: { http_proxy: "socks5://p.test" } }, "http_proxy is not a proxy"],
    ["ws://a.test", { tcp: { lookup: 1 } }, "tcp cannot be used: "],
  ])("%o, %o", async (where, options, says) => {
    const error = await failureOf(where as string, options as OpenOptions);
    expect(error).toBeInstanceOf(LocalProtocolError);
    expect(error).toMatchObject({ code: "INVALID_OPTION" });
    expect(String(error)).toContain(says);
  });

  test("a certificate that TLS cannot use: nothing is left open", async () => {
    const server = await serveHere(echo, { tls: credentials });
    const error = await failureOf(server.url, { tls: { cert: "no", key: "no" } });
    expect(error).toMatchObject({ code: "INVALID_OPTION" });
    expect(String(error)).toContain("tls cannot be used: ");
    await server.close({ timeoutMs: 0 });
  });
});

describe("nothing is left open by", () => {
  /** A server that accepts connections and says nothing. */
  async function silent() {
    const sockets: net.Socket[] = [];
    const server = net.createServer((socket) => {
      sockets.push(socket.on("error", () => {}).resume());
      closeLater(() => socket.destroy());
    });
    const port = await listenOn(server);
    return { port, accepted: () => once(server, "connection"), sockets };
  }

  test("a timeout, which is a 504 for a gateway", async () => {
    const { port, accepted, sockets } = await silent();
    const clock = new ManualClock();
    const failed = failureOf(`wss://127.0.0.1:${port}`, { timeoutMs: 50, clock });
    await accepted();
    clock.advance(50);
    const error = await failed;
    expect(error).toMatchObject({ code: "OPEN_TIMEOUT", sent: "nothing" });
    expect(String(error)).toContain(`was not open within timeoutMs: 127.0.0.1:${port}`);
    expect(gatewayStatus(error)).toBe(504);
    await closed(sockets[0]!);
    expect(clock.pending).toBe(0);
  });

  test("a timeout of more than 24 days is not over at once", async () => {
    const { port } = await silent();
    const clock = new ManualClock();
    const failed = failureOf(`wss://127.0.0.1:${port}`, { timeoutMs: 2 ** 32, clock });
    let isOver = false;
    void failed.then(() => {
      isOver = true;
    });
    clock.advance(2 ** 32 - 1);
    await turns();
    expect(isOver).toBe(false);
    clock.advance(1);
    expect(await failed).toMatchObject({ code: "OPEN_TIMEOUT" });
    const server = await serveHere(echo);
    const warnings: unknown[] = [];
    const warn = (warning: unknown) => warnings.push(warning);
    process.on("warning", warn);
    (await open(server.url, { env, timeoutMs: 2 ** 40 })).destroy();
    await server.close({ timeoutMs: 2 ** 40 });
    process.off("warning", warn);
    expect(warnings).toEqual([]);
  });

  test("a clock that throws, whenever it does: CALLBACK_FAILED, or no effect", async () => {
    const server = await serveHere(echo);
    const now = () => 0;
    const fail = () => {
      throw new TypeError("it broke");
    };
    const signal = new AbortController().signal;
    const listeners = vi.spyOn(signal, "removeEventListener");
    const broken = { now, setTimer: fail, clearTimer: fail };
    const error = await failureOf(server.url, { env, signal, timeoutMs: 5, clock: broken });
    expect(error).toMatchObject({ code: "CALLBACK_FAILED", cause: { message: "it broke" } });
    expect(listeners).toHaveBeenCalledOnce();
    const stuck = { now, setTimer: () => 1, clearTimer: fail };
    await echoes(await open(server.url, { env, timeoutMs: 5, clock: stuck }));
    const clock = new ManualClock();
    const other = await serveHere(echo, { clock });
    vi.spyOn(clock, "setTimer").mockImplementationOnce(fail);
    await expect(other.close({ timeoutMs: 5 })).rejects.toMatchObject({ code: "CALLBACK_FAILED" });
    await echoes(await open(other.url, { env }));
  });

  test("an abort: before, while it connects, and during TLS", async () => {
    const aborted = await failureOf("wss://a.test", { signal: AbortSignal.abort("enough") });
    expect(aborted).toMatchObject({ code: "CANCELED", cause: "enough" });
    const { port, accepted, sockets } = await silent();
    for (const during of ["connecting", "TLS"]) {
      const aborter = new AbortController();
      const failed = failureOf(`wss://127.0.0.1:${port}`, { signal: aborter.signal });
      if (during === "TLS") await accepted();
      aborter.abort("enough");
      expect(await failed).toMatchObject({ code: "CANCELED", cause: "enough" });
    }
    await Promise.all(sockets.map(closed));
  });

  test("an abort in the turn in which it opens", async () => {
    const server = await serveHere(echo);
    const aborter = new AbortController();
    const abortWhenConnected = (message: unknown): void => {
      const { socket } = message as { readonly socket: net.Socket };
      // After the listener of open().
      queueMicrotask(() => socket.once("connect", () => aborter.abort("enough")));
    };
    diagnostics.subscribe("net.client.socket", abortWhenConnected);
    const failed = failureOf(server.url, { signal: aborter.signal });
    try {
      expect(await failed).toMatchObject({ code: "CANCELED", cause: "enough" });
    } finally {
      diagnostics.unsubscribe("net.client.socket", abortWhenConnected);
    }
    await server.close({ timeoutMs: 0 });
  });

  test("an abort after it is open has no effect", async () => {
    const server = await serveHere(echo);
    const aborter = new AbortController();
    const socket = await open(server.url, { env, signal: aborter.signal, timeoutMs: 60_000 });
    aborter.abort();
    await echoes(socket);
  });
});
