import { handshake as connectTo } from "@upgrade/client";
import { type LimitName, resolveLimits } from "@upgrade/core";
import { Deferred, ManualClock, memoryPair } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { answer, ask, GET, head, POST, rejection, serve, standing } from "../src/against.ts";
import { turns } from "../src/pairs-quiet.ts";

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

  test("bytes that drip in do not prolong it", async () => {
    const { peer, clock } = await serve(OK, { headMs: 100 });
    for (const drip of ["G", "E", "T", " "]) {
      await peer.send(drip);
      await turns();
      clock.advance(30);
    }
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("a silent connection is closed without a word", async () => {
    const { peer, clock, connection } = await serve(OK);
    clock.advance(29_999);
    expect(connection.closeReason).toBeUndefined();
    clock.advance(1);
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await connection.closed).toMatchObject({ kind: "idle" });
  });

  test("empty lines are not the beginning of a head: no 408", async () => {
    const { peer, clock } = await serve(OK);
    await peer.send("\r\n\r\n");
    await turns();
    clock.advance(30_000);
    expect(await peer.readToEnd()).toBe("");
  });

  test("each head has all of it, however close it follows", async () => {
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

  test("a response's head, begun and not ended, fails on the client", async () => {
    const { peer, sender, clock } = await ask({ headMs: 100 });
    const response = sender.sendRequest(GET);
    await peer.readHead();
    clock.advance(1_000_000);
    await peer.send("HTTP/1.1 2");
    await turns();
    clock.advance(100);
    await expect(response).rejects.toMatchObject({ code: "HEAD_TIMEOUT", responseSeen: true });
  });
});

describe("L13 in time: idleMs", () => {
  test("begins again behind each exchange, also where the service answers at once", async () => {
    const { peer, clock, connection } = await serve(OK, { headMs: 100, idleMs: 100 });
    for (let i = 0; i < 5; i++) {
      clock.advance(90);
      await peer.send(head("GET /"));
      expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 200 /);
    }
    expect(connection.closeReason).toBeUndefined();
    clock.advance(100);
    expect(await peer.readToEnd()).toBe("");
  });

  test("is not headMs: behind the first request a connection may idle longer", async () => {
    const { peer, clock, connection } = await serve(OK);
    await peer.send(head("GET /"));
    await peer.readHead();
    clock.advance(59_999);
    expect(connection.closeReason).toBeUndefined();
    clock.advance(1);
    expect(await peer.readToEnd()).toBe("");
  });

  test("does not run while a service does", async () => {
    const gate = new Deferred<void>();
    const { peer, clock } = await serve(() => gate.promise.then(OK));
    await peer.send(head("GET /"));
    await turns();
    clock.advance(1_000_000);
    gate.resolve();
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("a client has none", async () => {
    const { clock, sender } = await ask();
    clock.advance(1_000_000_000);
    expect(sender.isReady).toBe(true);
  });

  test("a client may have one: it closes, and says that it did not fail", async () => {
    const { clock, connection, peer } = await ask({ idleMs: 100 });
    clock.advance(100);
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await connection.closed).toMatchObject({ kind: "idle" });
  });
});

describe("L13 in time: bodyProgressMs", () => {
  const reading = (options = {}) =>
    serve(async (request) => {
      await request.body.bytes();
      return { status: 200 };
    }, options);

  test("each piece prolongs it; without one it is a 408", async () => {
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

  test("does not run while nobody reads", async () => {
    const { peer, clock, connection } = await serve(NEVER, { readAheadBytes: 1 });
    await peer.send(`${head("POST /", "Content-Length: 99")}xx`);
    await turns();
    clock.advance(1_000_000);
    expect(connection.closeReason).toBeUndefined();
    const client = await ask({ readAheadBytes: 1 });
    void client.sender.sendRequest(GET);
    await client.peer.send(`${answer("200 OK", "Content-Length: 99")}xx`);
    await turns();
    client.clock.advance(1_000_000);
    expect(client.connection.closeReason).toBeUndefined();
  });

  test("runs for a reader that took some, answered, and never came back", async () => {
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

  test("a response's body that stalls fails its reader", async () => {
    const { peer, sender, clock } = await ask();
    const asked = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 9")}four`);
    const text = (await asked).body.text();
    await turns();
    clock.advance(30_000);
    expect(await rejection(text)).toBe("BODY_TIMEOUT");
    await peer.failed();
  });
});

describe("L13 in time: writeProgressMs", () => {
  // The far end reads nothing, so that a write is accepted only as far as the pair holds.
  const stalled = async (options = {}) => {
    const [near, far] = memoryPair(1_000);
    const clock = new ManualClock();
    const body = "x".repeat(3_000);
    const { connection } = await serveOn(near, () => ({ status: 200, body }), {
      clock,
      ...options,
    });
    await far.write([Buffer.from(head("GET /", "Connection: close"))]);
    await turns();
    return { far, clock, connection };
  };

  test("a peer that takes nothing is given up", async () => {
    const { clock, connection } = await stalled();
    const over = connection.run();
    clock.advance(29_999);
    expect(await standing(over)).toBe("pending");
    clock.advance(1);
    expect(await rejection(over)).toBe("WRITE_TIMEOUT");
    expect(connection.closeReason).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
  });

  test("a slow reader of the last response is not cut off by lingerMs", async () => {
    const { far, clock, connection } = await stalled();
    clock.advance(20_000);
    await turns();
    expect(connection.closeReason).toMatchObject({ kind: "not-persistent" });
    let read = 0;
    for (let chunk = await far.read(); chunk !== null; chunk = await far.read())
      read += chunk.length;
    expect(read).toBeGreaterThan(3_000);
    await turns();
    clock.advance(2_000);
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("a reset in front of the last byte of the last response is a failure", async () => {
    const { far, connection } = await stalled();
    const over = connection.run();
    far.abort(new Error("reset"));
    expect(await rejection(over)).toBe("TRANSPORT_FAILED");
  });

  test("a body that is made as it goes waits for the transport, and fails with it", async () => {
    const [near, far] = memoryPair(1_000);
    const clock = new ManualClock();
    let made = 0;
    async function* body() {
      for (;;) {
        made += 1_000;
        yield "x".repeat(1_000);
      }
    }
    const { connection } = await serveOn(near, () => ({ status: 200, body: body() }), {
      clock,
      writeHighWaterBytes: 5_000,
    });
    await far.write([Buffer.from(head("GET /"))]);
    await turns(50);
    expect(made).toBeLessThanOrEqual(7_000);
    clock.advance(30_000);
    expect(await connection.closed).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
  });
});

describe("L13 in time: drainMs", () => {
  test("a body nobody reads that does not end in time ends the connection", async () => {
    const { peer, clock, connection } = await serve(async () => ({ status: 200 }));
    await peer.send(`${head("POST /", "Content-Length: 99")}x`);
    expect(await peer.readHead()).not.toMatch(/close/);
    await turns();
    clock.advance(5_000);
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("on a client, cancel() then says closed", async () => {
    const { peer, sender, clock } = await ask();
    const asked = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 99")}x`);
    const cancelled = (await asked).body.cancel();
    await turns();
    clock.advance(5_000);
    expect(await cancelled).toBe("closed");
    await peer.failed();
  });
});

describe("L13 in time: lingerMs", () => {
  test("a client that never ends its side is given up", async () => {
    const { peer, clock, connection } = await serve(OK);
    const over = connection.run();
    await peer.send(head("GET /", "Connection: close"));
    await peer.readToEnd();
    clock.advance(1_999);
    expect(await standing(over)).toBe("pending");
    clock.advance(1);
    await over;
    expect(await rejection(peer.send("more"))).toBe("TRANSPORT_FAILED");
  });
});

describe("L13 in time: lingerMs, on the client,", () => {
  test("does not wait for the rest of an upload that was answered and is wanted no more", async () => {
    const [near, far] = memoryPair(1_000);
    const clock = new ManualClock();
    const { sender, connection } = await connectTo(near, { clock });
    const over = connection.run();
    const asked = sender.sendRequest({ ...POST, body: "x".repeat(3_000) });
    await turns();
    await far.write([
      Buffer.from(answer("413 Content Too Large", "Content-Length: 0", "Connection: close")),
    ]);
    expect((await asked).status).toBe(413);
    await turns();
    clock.advance(2_000);
    await over;
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("a reset behind the answer is no failure", async () => {
    const [near, far] = memoryPair(1_000);
    const { sender, connection } = await connectTo(near, { clock: new ManualClock() });
    const asked = sender.sendRequest({ ...POST, body: "x".repeat(3_000) });
    await turns();
    await far.write([
      Buffer.from(answer("413 Content Too Large", "Content-Length: 0", "Connection: close")),
    ]);
    expect((await asked).status).toBe(413);
    await turns();
    far.abort(new Error("reset"));
    await connection.run();
    expect(connection.closeReason).toMatchObject({ kind: "not-persistent" });
  });
});

describe("L13 in time: continueMs", () => {
  const expecting = { ...POST, headers: { Host: "a.test", Expect: "100-continue" }, body: "now" };

  test("without a 100 the body is sent after it", async () => {
    const { peer, sender, clock } = await ask();
    const asked = sender.sendRequest(expecting);
    await peer.readHead();
    clock.advance(999);
    await turns();
    expect(peer.unread).toBe("");
    clock.advance(1);
    expect(await peer.read(3)).toBe("now");
    await peer.send(answer("204 No Content"));
    expect((await asked).status).toBe(204);
  });

  test("0 waits for the 100 for ever", async () => {
    const { peer, sender, clock } = await ask({ continueMs: 0 });
    void sender.sendRequest(expecting);
    await peer.readHead();
    clock.advance(1_000_000_000);
    await turns();
    expect(peer.unread).toBe("");
    await peer.send(answer("100 Continue"));
    expect(await peer.read(3)).toBe("now");
  });
});

describe("L13 in time: uploadGraceMs", () => {
  test("an upload that goes on behind a complete response is given up after it", async () => {
    const { peer, sender, connection, clock } = await ask();
    async function* endless() {
      yield "x";
      await NEVER();
    }
    const asked = sender.sendRequest({ ...POST, body: endless() });
    await peer.readUntil("1\r\nx\r\n");
    await peer.send(answer("200 OK", "Content-Length: 0"));
    expect(await (await asked).body.text()).toBe("");
    clock.advance(9_999);
    expect(connection.closeReason).toBeUndefined();
    clock.advance(1);
    expect(await connection.closed).toMatchObject({ error: { code: "UPLOAD_TIMEOUT" } });
    await peer.failed();
  });
});

describe("L13 in time: maxAgeMs", () => {
  test("an idle connection ends", async () => {
    const { peer, clock, connection } = await serve(OK, { maxAgeMs: 500 });
    clock.advance(500);
    expect(await peer.readToEnd()).toBe("");
    expect(connection.closeReason).toMatchObject({ kind: "not-persistent", because: "maxAgeMs" });
  });

  test("the exchange in hand is the last, and says close", async () => {
    const gate = new Deferred<void>();
    const { peer, clock } = await serve(() => gate.promise.then(OK), { maxAgeMs: 500 });
    await peer.send(head("GET /"));
    await turns();
    clock.advance(500);
    gate.resolve();
    expect(await peer.readToEnd()).toMatch(/\r\nConnection: close\r\n/);
  });
});

describe("options", () => {
  const names = Object.keys(resolveLimits()) as LimitName[];

  test.each(names)(
    "%s is checked at the handshake, and nothing happens to the io",
    async (name) => {
      const [near] = memoryPair();
      const wrong = name.endsWith("Ms") ? Infinity : 1.5;
      for (const value of [-1, Number.NaN, wrong, "7" as unknown as number]) {
        const options = { [name]: value };
        expect(await rejection(connectTo(near, options))).toBe("INVALID_OPTION");
        expect(await rejection(serveOn(near, OK, options))).toBe("INVALID_OPTION");
      }
      expect(await standing(near.read())).toBe("pending");
    },
  );

  const deadlines = names.filter((name) => name.endsWith("Ms"));

  test("0 turns each deadline off: no timer is set, whatever is awaited", async () => {
    const off = Object.fromEntries(deadlines.map((name) => [name, 0]));
    const { peer, clock } = await serve(async (request) => {
      await request.body.bytes();
      return { status: 200 };
    }, off);
    expect(clock.pending).toBe(0);
    await peer.send(`${head("POST /", "Content-Length: 2")}x`);
    await turns();
    expect(clock.pending).toBe(0);
    await peer.send("x");
    await peer.readHead();
    await peer.send("GET");
    await turns();
    expect(clock.pending).toBe(0);
  });

  test("a deadline longer than a platform's timer does not ring at once", async () => {
    const clock = new ManualClock();
    const set: number[] = [];
    const [near] = memoryPair();
    await serveOn(near, OK, {
      headMs: 2 ** 40,
      clock: {
        now: () => clock.now(),
        setTimer: (ms, callback) => {
          set.push(ms);
          return clock.setTimer(ms, callback);
        },
        clearTimer: (timer) => clock.clearTimer(timer),
      },
    });
    expect(Math.max(...set)).toBeLessThan(2 ** 31);
    clock.advance(2 ** 32);
    expect(set.length).toBeGreaterThan(1);
  });

  test("a connection that is over has no timer", async () => {
    const { peer, clock, connection } = await serve(OK);
    await peer.send(head("GET /", "Connection: close"));
    await peer.readToEnd();
    await peer.end();
    await connection.closed;
    expect(clock.pending).toBe(0);
  });
});
