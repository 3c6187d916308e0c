import http from "node:http";
import type net from "node:net";
import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { Deferred, ManualClock } from "@upgrade/core/io";
import { adoptUpgrade, serveUpgrades } from "@upgrade/node";
import type { ServerOptions, ServerRequest, Service } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import { closeAfterEach, ECHO, echo } from "../../src/pairs/listening.ts";
import { closeLater, open, portOf } from "../../src/pairs/loopback.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

closeAfterEach();

const GET = head("GET /");
const CONNECT = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n";

async function stage(
  listener: http.RequestListener,
  service: Service<net.Socket> = echo,
  options: ServerOptions<net.Socket> = {},
) {
  const errors: unknown[] = [];
  const httpServer = http.createServer(listener);
  const onError = (error: unknown) => errors.push(error);
  const upgrades = serveUpgrades(httpServer, service, { onError, ...options });
  const port = await portOf(httpServer);
  closeLater(() => upgrades.close({ timeoutMs: 1, upgraded: "abort" }));
  closeLater(() => httpServer.closeAllConnections());
  return { port, upgrades, errors, dial: () => new ScriptedPeer(open(port)) };
}

/** Responses that wait until they are released, in order. */
function heldResponses(wanted: number) {
  const held: http.ServerResponse[] = [];
  const all = new Deferred<void>();
  const listener: http.RequestListener = (_, response) => {
    if (held.push(response) === wanted) all.resolve();
  };
  return { held, all: all.promise, listener };
}

describe("L6: a proposal right after requests that node:http still answers", () => {
  test.each([
    ["an Upgrade", ECHO],
    ["a CONNECT", CONNECT],
    ["with a body", head("POST /", "Connection: Upgrade", "Upgrade: echo", "Content-Length: 2")],
  ])("%s is accepted after their responses", async (what, proposal) => {
    const tunnel = async (asked: ServerRequest<net.Socket>) => {
      const { io, readBuf } = await asked.switchTo(asked.proposal?.protocols[0]);
      io.end(readBuf);
    };
    const { held, all, listener } = heldResponses(2);
    const { dial, errors } = await stage(listener, tunnel);
    const client = dial();
    await client.send(`${GET}${GET}${proposal}${what === "with a body" ? "12" : ""}early`);
    await all;
    held[1]!.end("second");
    held[0]!.write("first");
    await client.readUntil("first");
    await turns();
    expect(client.unread).toBe("\r\n");
    held[0]!.end("last");
    const rest = await client.readToEnd();
    expect(rest).toMatch(/^\r\n4\r\nlast\r\n0\r\n\r\nHTTP\/1\.1 200 [\s\S]*\r\n\r\nsecondHTTP/);
    expect(rest).toMatch(/secondHTTP\/1\.1 (?:101|200) [\s\S]*\r\n\r\nearly$/);
    expect(errors).toEqual([]);
  });

  test("a long response is sent to its end, although its reader is slow", async () => {
    const long = Buffer.alloc(4_000_000, "x");
    const pieces = Array.from({ length: 80 }, (_, i) =>
      long.subarray(i * 50_000, (i + 1) * 50_000),
    );
    const sent = new Deferred<void>();
    const begun = new Deferred<void>();
    const { port } = await stage((_, response) => {
      response.setHeader("Content-Length", long.length);
      pipeline(Readable.from(pieces), response).then(sent.resolve, sent.reject);
      begun.resolve();
    });
    const socket = open(port);
    socket.write(`${GET}${ECHO}early`);
    await begun.promise;
    await turns();
    const client = new ScriptedPeer(socket);
    await client.readHead();
    await client.read(long.length);
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect(await client.read(5)).toBe("early");
    await sent.promise;
  });

  test("bytes that arrive after it are not lost while it waits, also on a full socket", async () => {
    const long = "x".repeat(3_000_000);
    const { held, all, listener } = heldResponses(2);
    const { port } = await stage((request, response) => {
      if (request.url === "/long") response.end(long);
      listener(request, response);
    });
    const socket = open(port);
    // The second request is read while the first response fills the socket: node:http pauses it.
    socket.write(`${head("GET /long")}${GET}${ECHO}`);
    await all;
    const client = new ScriptedPeer(socket);
    await client.readHead();
    await client.send("early");
    await client.read(long.length);
    await turns();
    held[1]!.end("second");
    await client.readUntil("second");
    expect(await client.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    expect(await client.read(5)).toBe("early");
  });

  test("a response that closes the connection ends it: the proposal has no answer", async () => {
    const { held, all, listener } = heldResponses(1);
    const { dial, errors, upgrades } = await stage(listener);
    const client = dial();
    await client.send(`${GET}${ECHO}`);
    await all;
    held[0]!.setHeader("Connection", "close").end("last");
    expect(await client.readToEnd()).toMatch(/^HTTP\/1\.1 200 [\s\S]*last$/);
    await upgrades.close({ timeoutMs: 0 });
    expect(errors).toEqual([]);
  });

  test.each(["reset", "end"] as const)("a client that goes away (%s) meanwhile", async (way) => {
    const { held, all, listener } = heldResponses(1);
    const { dial, errors, upgrades } = await stage(listener);
    const client = dial();
    await client.send(`${GET}${ECHO}`);
    await all;
    void client[way]();
    await turns();
    held[0]!.end("last");
    await client.readToLast();
    await upgrades.close({ timeoutMs: 0 });
    expect([upgrades.connections, errors]).toEqual([0, []]);
  });

  test("close() aborts it in time", async () => {
    const { all, listener } = heldResponses(1);
    const clock = new ManualClock();
    const { dial, upgrades } = await stage(listener, echo, { clock });
    const client = dial();
    await client.send(`${GET}${ECHO}`);
    await all;
    expect(upgrades.connections).toBe(1);
    const closed = upgrades.close({ timeoutMs: 5 });
    clock.advance(5);
    await closed;
    await client.readToLast();
  });

  test("leaves no timeout and no listener of node:http on the socket", async () => {
    const { held, all, listener } = heldResponses(1);
    const httpServer = http.createServer(listener);
    const adopted = new Promise<net.Socket>((resolve) => {
      httpServer.on("upgrade", async (req, socket, early) => {
        resolve((await adoptUpgrade(req, socket, early)) as net.Socket);
      });
    });
    const client = new ScriptedPeer(open(await portOf(httpServer)));
    await client.send(`${GET}${ECHO}`);
    await all;
    held[0]!.end("last");
    const socket = await adopted;
    closeLater(() => socket.destroy());
    const { timeout = 0, readableFlowing } = socket;
    expect([timeout, socket.listenerCount("drain"), readableFlowing]).toEqual([0, 0, null]);
    expect(String(socket.read())).toBe(ECHO);
  });
});
