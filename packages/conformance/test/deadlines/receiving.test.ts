import { ManualClock, memoryPair } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

const OK = () => ({ status: 200 });
const NEVER = (): Promise<never> => new Promise(() => {});

describe("L13 in time: headMs", () => {
  test("a late head gets 408, and the connection lingers and ends", async () => {
    const { peer, clock, connection, reports } = await serve(OK);
    await peer.send("GET / HTTP/1.1\r\nHost: a");
    await turns();
    clock.advance(29_999);
    await turns();
    expect(peer.unread).toBe("");
    clock.advance(1);
    expect(await peer.readToEnd()).toBe(
      answer("408 Request Timeout", "Content-Length: 0", "Connection: close"),
    );
    await peer.end();
    expect(await connection.closed).toMatchObject({
      error: { code: "HEAD_TIMEOUT", phase: "head" },
    });
    expect(reports).toEqual(["head: HEAD_TIMEOUT"]);
  });

  test("trickling bytes do not extend it", async () => {
    const { peer, clock } = await serve(OK, { headMs: 100 });
    for (const drip of ["G", "E", "T", " "]) {
      await peer.send(drip);
      await turns();
      clock.advance(30);
    }
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("a silent connection is closed without a response", async () => {
    const { peer, clock, connection } = await serve(OK);
    clock.advance(29_999);
    expect(connection.closeReason).toBeUndefined();
    clock.advance(1);
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await connection.closed).toMatchObject({ kind: "idle" });
  });

  test("empty lines do not begin a head: no 408", async () => {
    const { peer, clock } = await serve(OK);
    await peer.send("\r\n\r\n");
    await turns();
    clock.advance(30_000);
    expect(await peer.readToEnd()).toBe("");
  });

  test("each head has the full time, however soon it follows", async () => {
    const { peer, clock } = await serve(OK, { headMs: 100, idleMs: 1_000 });
    await peer.send("GET /1 HTTP/1.1\r\nHo");
    await turns();
    clock.advance(90);
    await peer.send("st: a.test\r\n\r\nGET /2 HTTP/1.1\r\nHo");
    await peer.readHead();
    clock.advance(90);
    await peer.send("st: a.test\r\n\r\n");
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("an incomplete response head fails on the client", async () => {
    const { peer, sender, clock } = await dial({ headMs: 100 });
    const response = sender.sendRequest(GET);
    await peer.readHead();
    clock.advance(1_000_000);
    await peer.send("HTTP/1.1 2");
    await turns();
    clock.advance(100);
    await expect(response).rejects.toMatchObject({ code: "HEAD_TIMEOUT", responseSeen: true });
  });
});

describe("L13 in time: bodyProgressMs", () => {
  const reading = (options = {}) =>
    serve(
      async (request) => {
        await request.body.bytes();
        return { status: 200 };
      },
      { minBodyBytesPerSecond: 0, ...options },
    );

  test("each piece restarts it if there is no minimum speed; without a piece it is a 408", async () => {
    const { peer, clock } = await reading({ bodyProgressMs: 100 });
    await peer.send(head("POST /", "Content-Length: 99"));
    for (let i = 0; i < 4; i++) {
      await peer.send("x");
      await turns();
      clock.advance(99);
      await turns();
      expect(peer.unread).toBe("");
    }
    clock.advance(1);
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 408 .*\r\n\r\n$/s);
  });

  test("in the middle of a response it is a reset", async () => {
    const { peer, clock } = await serve(async (request) => ({ status: 200, body: request.body }));
    await peer.send(`${head("POST /", "Transfer-Encoding: chunked")}1\r\nx\r\n`);
    await peer.readUntil("1\r\nx\r\n");
    clock.advance(30_000);
    await peer.failed();
    expect(peer.unread).toBe("");
  });

  test("does not run without a reader", async () => {
    const { peer, clock, connection } = await serve(NEVER, { readAheadBytes: 1 });
    await peer.send(`${head("POST /", "Content-Length: 99")}xx`);
    await turns();
    clock.advance(1_000_000);
    expect(connection.closeReason).toBeUndefined();
    const client = await dial({ readAheadBytes: 1 });
    void client.sender.sendRequest(GET);
    await client.peer.send(`${answer("200 OK", "Content-Length: 99")}xx`);
    await turns();
    client.clock.advance(1_000_000);
    expect(client.connection.closeReason).toBeUndefined();
  });

  test("runs for a reader that read some, answered, and never read again", async () => {
    const { peer, clock, connection } = await serve(
      async (request) => {
        await request.body[Symbol.asyncIterator]().next();
        return { status: 200 };
      },
      { readAheadBytes: 1 },
    );
    await peer.send(`${head("POST /", "Content-Length: 99")}xx`);
    await peer.readHead();
    await peer.send("xx");
    await turns();
    expect(connection.closeReason).toBeUndefined();
    clock.advance(30_000);
    await peer.failed();
    expect(await connection.closed).toMatchObject({ error: { code: "BODY_TIMEOUT" } });
  });

  test("a response body that stalls fails its reader", async () => {
    const { peer, sender, clock } = await dial();
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 9")}four`);
    const text = (await pending).body.text();
    await turns();
    clock.advance(30_000);
    expect(await rejection(text)).toBe("BODY_TIMEOUT");
    await peer.failed();
  });
});

describe("L13 in time: continueMs", () => {
  const expecting = { ...POST, headers: { Host: "a.test", Expect: "100-continue" }, body: "now" };

  test("without a 100 the body is sent after it", async () => {
    const { peer, sender, clock } = await dial();
    const pending = sender.sendRequest(expecting);
    await peer.readHead();
    clock.advance(999);
    await turns();
    expect(peer.unread).toBe("");
    clock.advance(1);
    expect(await peer.read(3)).toBe("now");
    await peer.send(answer("204 No Content"));
    expect((await pending).status).toBe(204);
  });

  test("0 waits for the 100 forever", async () => {
    const { peer, sender, clock } = await dial({ continueMs: 0 });
    void sender.sendRequest(expecting);
    await peer.readHead();
    clock.advance(1_000_000_000);
    await turns();
    expect(peer.unread).toBe("");
    await peer.send(answer("100 Continue"));
    expect(await peer.read(3)).toBe("now");
  });
});

describe("L13: a head that does not end", () => {
  const late = async (bytes: string) => {
    const [io, far] = memoryPair();
    const clock = new ManualClock();
    const peer = new ScriptedPeer(far);
    await serveOn(io, () => ({ status: 204 }), { clock, date: false });
    if (bytes !== "") await peer.send(bytes);
    await turns();
    clock.advance(30_000);
    return peer.readToEnd();
  };

  test("gets a 408 from its first byte on", async () => {
    expect(await late("G")).toMatch(/^HTTP\/1\.1 408 /);
    expect(await late("\r\nG")).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("gets nothing before its first byte", async () => {
    for (const nothing of ["", "\r\n", "\r\n\r\n"]) expect(await late(nothing)).toBe("");
  });
});
