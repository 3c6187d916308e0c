import { connect, tunnel } from "@upgrade/client";
import { endToEnd, Headers } from "@upgrade/core";
import { Deferred, memoryPair } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, join, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

// Requirements that an HttpConnection alone cannot show, since it has no clock, no io and no service.

describe("our client", () => {
  test.each(["http://u:p@a.test/", "http://u@a.test/", "http:///", "http://:80/", "//u@a"])(
    "sends no userinfo and no empty host: %s (R25, R26)",
    async (target) => {
      const { sender, peer } = await dial();
      const sent = sender.sendRequest({ ...GET, target });
      // A path that begins with two slashes has no authority.
      if (target.startsWith("/")) expect(await peer.readHead()).toBe(head(`GET ${target}`));
      else expect(await rejection(sent)).toBe("INVALID_TARGET");
    },
  );

  test("R26: has no userinfo in its Host", async () => {
    const { sender } = await dial();
    const headers = { Host: "u:p@a.test" };
    expect(await rejection(sender.sendRequest({ ...GET, headers }))).toBe("INVALID_HOST");
  });

  test.each([
    ["M07: a first field after white space", { headers: [[" X", "1"]] }, "INVALID_HEADER"],
    ["M12: an unsupported version", { version: "1.2" as "1.1" }, "INVALID_OPTION"],
  ] as const)("%s is not sent", async (_, request, code) => {
    const { sender, peer } = await dial();
    expect(await rejection(sender.sendRequest({ ...GET, ...request }))).toBe(code);
    expect(peer.unread).toBe("");
  });

  test("I20: reads a response while it sends, and stops for one that closes", async () => {
    const { sender, connection, peer } = await dial();
    const stopped = new Deferred<void>();
    async function* endless() {
      try {
        for (;;) {
          yield "more";
          await turns();
        }
      } finally {
        stopped.resolve();
      }
    }
    const response = sender.sendRequest({ ...POST, body: endless() });
    await peer.readUntil("more\r\n");
    await peer.send(answer("413 Content Too Large", "Content-Length: 0", "Connection: close"));
    expect((await response).status).toBe(413);
    expect(await peer.readToEnd()).not.toContain("0\r\n\r\n");
    await peer.end();
    expect((await connection.closed).kind).toBe("not-persistent");
    await stopped.promise;
  });

  test("R13: connect() puts Host first", async () => {
    const [near, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    void connect(near, "a.test:443", { headers: [["X-A", "1"]] });
    expect(await peer.readHead()).toMatch(
      /^CONNECT a\.test:443 HTTP\/1\.1\r\nHost: a\.test:443\r\n/,
    );
  });

  test("I15, I17, I18: repeats nothing by itself, on a failed connection or any other", async () => {
    const { sender, peer } = await dial({ pipeline: 3 });
    const pending = ["/1", "/2"].map((target) => rejection(sender.sendRequest({ ...GET, target })));
    expect(await peer.readHead()).toBe(head("GET /1"));
    expect(await peer.readHead()).toBe(head("GET /2"));
    peer.reset();
    expect(await Promise.all(pending)).toEqual(["TRANSPORT_FAILED", "INCOMPLETE_MESSAGE"]);
    expect(await rejection(sender.sendRequest(GET))).toBe("NOT_SENT");
    expect(peer.unread).toBe("");
  });

  test.each([
    { ...GET, headers: { Host: "a.test", Connection: "Upgrade", Upgrade: "connect-udp" } },
    { method: "CONNECT", target: "a.test:443", headers: { Host: "a.test:443" } },
  ])("offers no way to send before the answer: $method (X09, X12, U16)", async (request) => {
    const { sender, connection, peer } = await dial();
    const response = sender.sendRequest(request);
    await peer.readHead();
    expect(() => connection.intoParts()).toThrow(/STILL_WRITING|some bytes have not/);
    await turns();
    expect(peer.unread).toBe("");
    await peer.send(
      request.method === "CONNECT"
        ? answer("200 OK")
        : answer("101 Switching Protocols", "Connection: Upgrade", "Upgrade: connect-udp"),
    );
    await response;
    expect((await connection.withoutShutdown()).switched?.response).toBe(await response);
  });

  test("E03: waits for a 100 as long as continueMs, and no longer", async () => {
    const { sender, peer, clock } = await dial({ continueMs: 50 });
    const headers = { Host: "a.test", Expect: "100-continue" };
    const response = sender.sendRequest({ ...POST, headers, body: "abc" });
    await peer.readHead();
    clock.advance(49);
    await turns();
    expect(peer.unread).toBe("");
    clock.advance(1);
    expect(await peer.read(3)).toBe("abc");
    await peer.send(answer("204 No Content"));
    expect((await response).status).toBe(204);
  });
});

describe("our server", () => {
  test("F24: writes its date as IMF-fixdate", async () => {
    const { peer } = await serve(() => ({ status: 204 }), { date: true });
    await peer.send(head("GET /"));
    const day = "(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)";
    const month = "(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)";
    expect(await peer.readHead()).toMatch(
      new RegExp(`\r\nDate: ${day}, \\d{2} ${month} \\d{4} \\d{2}:\\d{2}:\\d{2} GMT\r\n`),
    );
  });

  test("I14: serves no requests concurrently, even if they are safe", async () => {
    const gates: Deferred<void>[] = [];
    const { peer } = await serve(async ({ target }) => {
      const gate = new Deferred<void>();
      gates.push(gate);
      await gate.promise;
      return { status: 200, body: target };
    });
    await peer.send(head("GET /1") + head("GET /2"));
    await turns();
    expect(gates.length).toBe(1);
    gates[0]!.resolve();
    expect(await peer.readUntil("\r\n\r\n/1")).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    await turns();
    expect(gates.length).toBe(2);
  });

  test("I29: ends its side, reads until the client ends, and only then is closed", async () => {
    const { peer, connection } = await serve(() => ({ status: 200, body: "last words" }));
    await peer.send(head("POST /", "Content-Length: 200000", "Connection: close"));
    expect(await peer.readToEnd()).toMatch(/last words$/);
    const before = connection.stats.bytesRead;
    await peer.send("x".repeat(200_000));
    expect(await stateOf(connection.closed)).toBe("pending");
    expect(connection.stats.bytesRead - before).toBe(200_000);
    expect(peer.failure).toBeUndefined();
    await peer.end();
    expect((await connection.closed).kind).toBe("not-persistent");
  });

  test("I19: ends an idle connection cleanly, not with a failure", async () => {
    const { peer, connection, clock } = await serve(() => ({ status: 204 }), { idleMs: 5 });
    await peer.send(head("GET /"));
    await peer.readHead();
    await turns();
    clock.advance(5);
    expect(await peer.readToEnd()).toBe("");
    await peer.end();
    expect((await connection.closed).kind).toBe("idle");
    expect(peer.failure).toBeUndefined();
  });

  test("X07: opens no tunnel that its service did not request", async () => {
    const seen: string[] = [];
    const { peer } = await serve(({ target }) => {
      seen.push(target);
      return { status: 403 };
    });
    await peer.send("CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: 127.0.0.1:22\r\n\r\nSSH-2.0-x\r\n");
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 403 /);
    expect(seen).toEqual(["127.0.0.1:22"]);
  });

  test("X11: closes after a refused CONNECT, whatever is configured for upgrades", async () => {
    const { peer } = await serve(() => ({ status: 407 }), { keepAliveAfterRefusal: true });
    await peer.send(
      `CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\n\r\n${head("GET /hidden")}`,
    );
    const refusal = await peer.readToEnd();
    expect(refusal.match(/HTTP\/1\.1/g)).toHaveLength(1);
    expect(refusal).toContain("\r\nConnection: close\r\n");
  });
});

test("F18: our server accepts what our client sends by default, up to the limits", async () => {
  const target = `/${"t".repeat(8_191)}`;
  const fields = Array.from({ length: 99 }, (_, i) => [`X-${i}`, "v".repeat(50)] as const);
  const { sender } = await join((request) => ({
    status: 200,
    headers: request.headers.toFlat().length === 200 ? fields : [],
    body: String(request.target === target),
  }));
  const headers = [["Host", "a.test"] as const, ...fields];
  const response = await sender.sendRequest({ ...GET, target, headers });
  expect(await response.body.text()).toBe("true");
  expect(response.headers.toFlat().slice(0, 198)).toEqual(fields.flat());
});

test("U15: a proxy forwards only proposals of the protocols it names", () => {
  const offered = Headers.from({ Connection: "Upgrade", Upgrade: "x", "X-A": "1" });
  expect(endToEnd(offered).toFlat()).toEqual(["X-A", "1"]);
  expect(endToEnd(offered, ["x"]).toFlat()).toEqual([...offered.toFlat()]);
});

test("X06: a tunnel that ends on one side is flushed to the other, and both end", async () => {
  const [near, client] = memoryPair();
  const [far, server] = memoryPair();
  const [left, right] = [new ScriptedPeer(client), new ScriptedPeer(server)];
  const unread = { readBuf: new Uint8Array(0), readEnded: false };
  const over = tunnel({ io: near, ...unread }, { io: far, ...unread });
  await left.send("last words");
  await left.end();
  expect(await right.readToEnd()).toBe("last words");
  await right.send("good bye");
  await right.end();
  expect(await left.readToEnd()).toBe("good bye");
  expect(await over).toMatchObject({ aToB: 10, bToA: 8 });
});
