// Servers of WebSockets that were written for node:http, untouched: on our server, and on their own
// with our client.

import { once } from "node:events";
import http from "node:http";
import type { Duplex } from "node:stream";
import { upgrade } from "@upgrade/client";
import { handOver, open } from "@upgrade/node";
import { adopt, websocket } from "@upgrade/websocket";
import { describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import {
  closeAfterEach,
  closed,
  credentials,
  dial,
  portOf,
  serveHere,
} from "../../src/pairs/listening.ts";
import { closeLater, portOf as listenOn } from "../../src/pairs/loopback.ts";
import { converse } from "../../src/websocket/ends.ts";
import { LIBRARIES, type Library, type Listener } from "../../src/websocket/libraries.ts";
import { NEWEST } from "../../src/websocket/versions.ts";

closeAfterEach();

const { WebSocket } = NEWEST;
const TRUSTED = { ca: credentials.cert };

/** Hands every proposal over; `ready` may hold it back. */
function handing(
  listener: Listener,
  options = {},
  ready?: (gone: AbortSignal) => Promise<unknown>,
) {
  return serveHere(async (request) => {
    await ready?.(request.signal);
    listener(...(await handOver(request)));
  }, options);
}

/** The code with which the library's first WebSocket has closed. */
function closing() {
  let report!: (code: number) => void;
  const code = new Promise<number>((resolve) => {
    report = resolve;
  });
  return { report, code };
}

const PROPOSAL = ["Connection: Upgrade", "Upgrade: websocket"];
const KEY = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==";
const REQUEST = head("GET /", ...PROPOSAL, "Sec-WebSocket-Version: 13", KEY);
// "hi" in a text frame, with a mask of zeros and without one (RFC 6455 §5.2).
const MASKED = Uint8Array.of(0x81, 0x82, 0, 0, 0, 0, 0x68, 0x69);
const ECHOED = "\x81\x02hi";

async function opened(url: string, options = {}) {
  const socket = new WebSocket(url, ["v2", "v1"], options);
  await once(socket, "open");
  return socket;
}

describe.each(LIBRARIES)("$name on our server", ({ listener }) => {
  test("talks with the client of ws", async () => {
    const { report, code } = closing();
    const server = await handing(listener(report));
    const client = await opened(`ws://127.0.0.1:${portOf(server)}/`);
    expect(client.protocol).toBe("v1");
    await converse(client);
    expect(await code).toBe(4000);
    await server.close({ timeoutMs: 0 });
  });

  test("talks with our client", async () => {
    const { report, code } = closing();
    const server = await handing(listener(report));
    await converse(await dialed(server.url));
    expect(await code).toBe(4000);
    await server.close({ timeoutMs: 0 });
  });

  test("knows its URL, over TLS and without", async () => {
    for (const tls of [undefined, credentials]) {
      const server = await handing(
        listener(() => {}),
        tls && { tls },
      );
      const url = `ws${tls ? "s" : ""}://127.0.0.1:${portOf(server)}/greet`;
      const client = new WebSocket(url, TRUSTED);
      const [greeting] = await once(client, "message");
      expect(String(greeting).replace(/^http/, "ws")).toBe(url);
      client.terminate();
      await server.close({ timeoutMs: 0 });
    }
  });

  test("reads a frame that came with the request, wherever it was split", async () => {
    const server = await handing(listener(() => {}));
    const bytes = Buffer.concat([Buffer.from(REQUEST), MASKED]);
    for (let at = REQUEST.length; at <= bytes.length; at++) {
      const client = await dial(server);
      await client.send(bytes.subarray(0, at));
      expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 /);
      if (at < bytes.length) await client.send(bytes.subarray(at));
      expect(await client.read(ECHOED.length), `split at ${at}`).toBe(ECHOED);
      client.reset();
    }
    await server.close({ timeoutMs: 0 });
  });

  test("answers a client that had ended its side before the hand-over", async () => {
    const { report, code } = closing();
    const gone = (signal: AbortSignal) => once(signal, "abort");
    const server = await handing(listener(report), {}, gone);
    const client = await dial(server);
    void client.send(Buffer.concat([Buffer.from(REQUEST), MASKED]));
    await client.end();
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect(await client.read(ECHOED.length)).toBe(ECHOED);
    expect(await code).toBe(1006);
    await server.close({ timeoutMs: 0 });
  });

  test("closes by itself", async () => {
    const { report, code } = closing();
    const server = await handing(listener(report));
    const client = await opened(`ws://127.0.0.1:${portOf(server)}/`);
    client.send("bye");
    const [status, reason] = await once(client, "close");
    expect([status, String(reason), await code]).toEqual([4001, "bye", 4001]);
    await server.close({ timeoutMs: 0 });
  });

  test("refuses by itself, and the client can read why", async () => {
    const server = await handing(listener(() => {}));
    const client = new WebSocket(`ws://127.0.0.1:${portOf(server)}/refused`);
    const [, response] = (await once(client, "unexpected-response")) as [
      unknown,
      http.IncomingMessage,
    ];
    expect(response.statusCode).toBe(403);
    let text = "";
    for await (const chunk of response) text += chunk;
    expect(text).toBe("no");
    await server.close({ timeoutMs: 0 });
  });

  test("refuses a version that it does not know", async () => {
    const server = await handing(listener(() => {}));
    const client = await dial(server);
    await client.send(head("GET /", ...PROPOSAL, "Sec-WebSocket-Version: 12", KEY));
    expect(await client.readToLast()).toMatch(/^HTTP\/1\.1 400 /);
    void client.end();
    await server.close({ timeoutMs: 0 });
  });

  test.each(["reset", "end"] as const)("sees a client go away (%s)", async (way) => {
    const { report, code } = closing();
    const server = await handing(listener(report));
    const client = await dial(server);
    await client.send(REQUEST);
    await client.readHead();
    void client[way]();
    expect(await code).toBe(1006);
    await closed(client.socket);
    await server.close({ timeoutMs: 0 });
    expect(server.connections).toBe(0);
  });

  test("is closed with our server", async () => {
    const { report, code } = closing();
    const server = await handing(listener(report));
    const client = await opened(`ws://127.0.0.1:${portOf(server)}/`);
    client.on("error", () => {});
    const left = once(client, "close");
    await server.close({ upgraded: "abort" });
    expect([(await left)[0], await code]).toEqual([1006, 1006]);
  });
});

/** The library's server on node:http. */
async function ofItsOwn({ listener }: Library, report: (code: number) => void = () => {}) {
  const sockets: Duplex[] = [];
  const httpServer = http.createServer().on("upgrade", listener(report));
  httpServer.on("upgrade", (_, socket: Duplex) => sockets.push(socket));
  closeLater(() => httpServer.closeAllConnections());
  return { url: `ws://127.0.0.1:${await listenOn(httpServer)}/`, sockets };
}

async function proposed(url: string) {
  const io = await open(url);
  closeLater(() => io.destroy());
  const { host, pathname: target } = new URL(url);
  const protocol = websocket({ subprotocols: ["v2", "v1"] });
  return upgrade(io, { target, headers: { Host: host }, protocol });
}

/** Our client, adopted by ws. */
async function dialed(url: string) {
  const result = await proposed(url);
  if (!result.switched) throw new Error(`refused: ${result.response.status}`);
  expect(result.agreement.protocol).toBe("v1");
  return adopt(result.parts, result.agreement, { WebSocket });
}

describe.each(LIBRARIES)("our client and $name on node:http", (library) => {
  test("talk, and the client closes", async () => {
    const { report, code } = closing();
    const { url } = await ofItsOwn(library, report);
    await converse(await dialed(url));
    expect(await code).toBe(4000);
  });

  test("the first message may come with the 101", async () => {
    const url = `${(await ofItsOwn(library)).url}greet`;
    const [greeting] = await once(await dialed(url), "message");
    expect(String(greeting).replace(/^http/, "ws")).toBe(url);
  });

  test("talk, and the server closes", async () => {
    const { report, code } = closing();
    const { url } = await ofItsOwn(library, report);
    const socket = await dialed(url);
    socket.send("bye");
    const [status, reason] = await once(socket, "close");
    expect([status, String(reason), await code]).toEqual([4001, "bye", 4001]);
  });

  test("disagree: a refusal is a response", async () => {
    const result = await proposed(`${(await ofItsOwn(library)).url}refused`);
    if (result.switched) throw new Error("switched");
    expect([result.response.status, await result.response.body.text()]).toEqual([403, "no"]);
  });

  test("the server sees the client go away", async () => {
    const { report, code } = closing();
    const { url } = await ofItsOwn(library, report);
    (await dialed(url)).terminate();
    expect(await code).toBe(1006);
  });

  test("the client sees the server go away", async () => {
    const { url, sockets } = await ofItsOwn(library);
    const left = once(await dialed(url), "close");
    for (const socket of sockets) socket.destroy();
    expect((await left)[0]).toBe(1006);
  });
});
