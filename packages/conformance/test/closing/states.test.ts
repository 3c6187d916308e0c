import { Deferred, systemClock } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection, standing } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

const PROPOSAL = { Host: "a.test", Connection: "Upgrade", Upgrade: "chat" };
const PROPOSING = head("GET /", "Connection: Upgrade", "Upgrade: chat");
const ACCEPTED = answer("101 Switching Protocols", "Connection: Upgrade", "Upgrade: chat");

describe("close() during a proposal", () => {
  test("on the server: it may still switch, and keeps its Connection field; then close resolves", async () => {
    const gate = new Deferred<void>();
    const { peer, connection } = await serve(async (request) => {
      await gate.promise;
      await request.switchTo("chat");
    });
    await peer.send(PROPOSING);
    await turns();
    const closed = connection.close();
    gate.resolve();
    expect(await peer.readHead()).toBe(ACCEPTED);
    expect(await closed).toEqual({ kind: "switched", protocol: "chat" });
    await turns();
    expect(peer.ended).toBe(false);
  });

  test("on the server: refused, it ends", async () => {
    const gate = new Deferred<void>();
    const { peer, connection } = await serve(() => gate.promise.then(() => ({ status: 403 })));
    await peer.send(PROPOSING);
    await turns();
    const closed = connection.close();
    gate.resolve();
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 403 .*\r\nConnection: close\r\n/s);
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
  });

  test("on the client: it may still switch, after which its deadline and signal do nothing", async () => {
    const { peer, sender, connection, clock } = await dial({ claimMs: 0 });
    const pending = sender.sendRequest({ ...GET, headers: PROPOSAL });
    await peer.readHead();
    const stop = new AbortController();
    const closed = connection.close({ timeoutMs: 10, signal: stop.signal });
    await peer.send(`${ACCEPTED}early`);
    expect((await pending).status).toBe(101);
    expect(await closed).toMatchObject({ kind: "switched" });
    clock.advance(10);
    stop.abort();
    const { io, readBuf } = connection.intoParts();
    expect(Buffer.from(readBuf).toString()).toBe("early");
    await io.write([Buffer.from("alive")]);
    expect(await peer.read(5)).toBe("alive");
    connection.abort();
    expect(await standing(connection.close({ timeoutMs: 1 }))).toMatchObject({ kind: "switched" });
    await io.write([Buffer.from("still")]);
    expect(await peer.read(5)).toBe("still");
  });

  test("on the client: refused, it ends after the refusal's body", async () => {
    const { peer, sender, connection } = await dial();
    const pending = sender.sendRequest({ ...GET, headers: PROPOSAL });
    await peer.readHead();
    const closed = connection.close();
    await peer.send(`${answer("403 Forbidden", "Content-Length: 2")}no`);
    expect(await (await pending).body.text()).toBe("no");
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
  });
});

describe("close() during a body", () => {
  test("lets a response stream to its end, then ends", async () => {
    const gate = new Deferred<void>();
    async function* body() {
      yield "a";
      await gate.promise;
      yield "b";
    }
    const { peer, connection } = await serve(() => ({ status: 200, body: body() }));
    await peer.send(head("GET /") + head("GET /2"));
    await peer.readUntil("1\r\na\r\n");
    void connection.close();
    gate.resolve();
    expect(await peer.readToEnd()).toBe("1\r\nb\r\n0\r\n\r\n");
  });

  test("lets an upload and its response end, on the client", async () => {
    const gate = new Deferred<void>();
    async function* body() {
      yield "a";
      await gate.promise;
    }
    const { peer, sender, connection } = await dial();
    const pending = sender.sendRequest({ ...POST, body: body() });
    await peer.readUntil("1\r\na\r\n");
    const closed = connection.close();
    gate.resolve();
    expect(await peer.readUntil("0\r\n\r\n")).toBe("0\r\n\r\n");
    await peer.send(answer("204 No Content"));
    expect((await pending).status).toBe(204);
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await closed).toMatchObject({ kind: "closed" });
  });

  test("past the deadline the body fails, and the peer sees a failure", async () => {
    const { peer, sender, connection, clock } = await dial();
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 9")}four`);
    const text = (await pending).body.text();
    const closed = connection.close({ timeoutMs: 10 });
    await turns();
    clock.advance(10);
    expect(await rejection(text)).toBe("CLOSE_TIMEOUT");
    expect(await closed).toMatchObject({ kind: "failed" });
    await peer.failed();
  });
});

describe("what a message with a switch or its refusal may not have", () => {
  const CONNECT = "CONNECT a.test:1 HTTP/1.1\r\nHost: a.test:1\r\n\r\n";
  const TUNNEL = { status: 200, tunnel: true };
  const wrong: [string, string, object, string][] = [
    ["a body with a 2xx to CONNECT", CONNECT, { ...TUNNEL, body: "x" }, "BODY_NOT_ALLOWED"],
    [
      "Content-Length with it",
      CONNECT,
      { ...TUNNEL, headers: { "Content-Length": "0" } },
      "INVALID_FRAMING",
    ],
    [
      "a body with 101",
      PROPOSING,
      { status: 101, headers: PROPOSAL, body: "x" },
      "BODY_NOT_ALLOWED",
    ],
    [
      "Upgrade without its connection option",
      PROPOSING,
      { status: 200, headers: { Upgrade: "chat" } },
      "INVALID_UPGRADE",
    ],
    ["426 without Upgrade", head("GET /"), { status: 426 }, "INVALID_UPGRADE"],
  ];
  test.each(wrong)("%s is refused before the first byte", async (_, request, response, code) => {
    const { peer, reports } = await serve(() => response as { status: number });
    await peer.send(request);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(reports).toEqual([`service: ${code}`]);
  });

  test("Upgrade without its connection option is refused on the client, too", async () => {
    const { sender } = await dial();
    const headers = { Host: "a.test", Upgrade: "chat" };
    expect(await rejection(sender.sendRequest({ ...GET, headers }))).toBe("INVALID_UPGRADE");
  });
});

test("maxRequests, on the client: the last request has close", async () => {
  const { peer, sender, connection } = await dial({ maxRequests: 2 });
  for (const fields of [[], ["Connection: close"]]) {
    const pending = sender.sendRequest(GET);
    expect(await peer.readHead()).toBe(head("GET /", ...fields));
    await peer.send(answer("204 No Content"));
    await pending;
  }
  expect([sender.isClosed, await peer.readToEnd()]).toEqual([true, ""]);
  expect(connection.closeReason).toMatchObject({ kind: "not-persistent", because: "maxRequests" });
});

test("L9: no rejection is left unhandled", async () => {
  const unhandled: unknown[] = [];
  const note = (reason: unknown) => unhandled.push(reason);
  process.on("unhandledRejection", note);
  const served = await serve(async ({ body }) => ({ status: 200, body }));
  void served.connection.withoutShutdown();
  void served.connection.closed;
  await served.peer.send(`${head("POST /", "Transfer-Encoding: chunked")}1\r\nx\r\n`);
  await turns();
  served.peer.reset();
  const client = await dial();
  void client.connection.run();
  void client.sender.ready();
  void client.sender.sendRequest({ ...POST, body: ["x"], trailers: async () => ({}) });
  void client.sender.sendRequest(GET);
  await client.peer.readHead();
  client.peer.reset();
  await turns(20);
  process.off("unhandledRejection", note);
  expect(unhandled).toEqual([]);
});

test("no timer of ours keeps a finished process alive", () => {
  const timer = systemClock.setTimer(1_000_000, () => {}) as NodeJS.Timeout;
  expect(timer.hasRef()).toBe(false);
  systemClock.clearTimer(timer);
});
