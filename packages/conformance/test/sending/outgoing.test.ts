import { handshake as connectTo } from "@upgrade/client";
import { ManualClock, memoryPair } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { turns } from "../../src/turns.ts";

const SWITCH = { Connection: "Upgrade", Upgrade: "chat" };
const PROPOSAL = head("GET /chat", "Connection: Upgrade", "Upgrade: chat");
const ACCEPTED = answer("101 Switching Protocols", "Connection: Upgrade", "Upgrade: chat");

test.each([
  ["text", "first"],
  ["bytes", Buffer.from("first")],
])(
  "L6 order: a response of %s and a 101, given in one turn, are sent in the order of their requests",
  async (_, body) => {
    const { peer } = await serve((request) =>
      request.proposal === undefined ? { status: 200, body } : { status: 101, headers: SWITCH },
    );
    await peer.send(head("GET /") + PROPOSAL);
    expect(await peer.readUntil("Upgrade: chat\r\n\r\n")).toBe(
      `${answer("200 OK", "Content-Length: 5")}first${ACCEPTED}`,
    );
  },
);

test("L6 order: the first bytes of the new protocol follow the 101", async () => {
  const { peer } = await serve(async (request) => {
    await request.switchTo("chat", { firstBytes: Buffer.from("hello") });
  });
  await peer.send(PROPOSAL);
  expect(await peer.readUntil("hello")).toBe(`${ACCEPTED}hello`);
});

describe("L14 nothing hidden: a request is written as it was given", () => {
  test.each(["GET", "HEAD", "DELETE", "OPTIONS"])("%s", async (method) => {
    const { peer, sender } = await dial();
    void sender.sendRequest({ ...GET, method });
    expect(await peer.readHead()).toBe(head(`${method} /`));
    await turns();
    expect(peer.unread).toBe("");
  });

  test("POST without a body has Content-Length: 0, which is framing", async () => {
    const { peer, sender } = await dial();
    void sender.sendRequest(POST);
    expect(await peer.readHead()).toBe(head("POST /", "Content-Length: 0"));
  });
});

describe("L14 nothing hidden: a response is written as it was given", () => {
  const OURS = { status: 200, headers: { Date: "yesterday" }, body: "" };

  test("its own Date is the only one", async () => {
    const { peer } = await serve(() => OURS, { date: true });
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toBe(answer("200 OK", "Date: yesterday", "Content-Length: 0"));
  });

  test("and it has no Date if that is disabled", async () => {
    const { peer } = await serve(() => ({ status: 204 }), { date: false });
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toBe(answer("204 No Content"));
  });
});

test("L15 verbatim: repeated fields keep their number and order, both ways", async () => {
  const lines = { "set-Cookie": ["a=1", "b=2", "a=1"], "X-b": ["", "2"] };
  const written = ["set-Cookie: a=1", "set-Cookie: b=2", "set-Cookie: a=1", "X-b: ", "X-b: 2"];
  const seen: unknown[] = [];
  const { peer } = await serve(({ headers }) => {
    seen.push([...headers]);
    return { status: 204, headers: lines };
  });
  await peer.send(head("GET /", ...written));
  expect(await peer.readHead()).toBe(answer("204 No Content", ...written));
  const { peer: server, sender } = await dial();
  const pending = sender.sendRequest({ ...GET, headers: { Host: "a.test", ...lines } });
  expect(await server.readHead()).toBe(head("GET /", ...written));
  await server.send(answer("204 No Content", ...written));
  const pairs = written.map((line) => line.split(/: ?/));
  expect([...(await pending).headers]).toEqual(pairs);
  expect(seen).toEqual([[["Host", "a.test"], ...pairs]]);
});

describe("L12 bounded: a peer that reads nothing", () => {
  test("holds at most writeHighWaterBytes of a streamed body plus one piece", async () => {
    const [near, far] = memoryPair(1);
    const { sender } = await connectTo(near, {
      clock: new ManualClock(),
      writeHighWaterBytes: 100,
    });
    let made = 0;
    function* body() {
      for (let i = 0; i < 1_000; i++) {
        made += 10;
        yield "0123456789";
      }
    }
    void sender.sendRequest({ ...POST, body: body() });
    await turns();
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThanOrEqual(110);
    far.abort(new Error("over"));
  });
});

describe("L12 bounded: an unread body", () => {
  const unread = async (sent: number) => {
    const { peer, connection } = await serve(() => new Promise<never>(() => {}), {
      readAheadBytes: 100,
    });
    await peer.send(head("POST /", "Content-Length: 1000"));
    for (let i = 0; i < sent; i++) {
      void peer.send("0123456789").catch(() => {});
      await turns();
    }
    return connection.stats.bytesRead - head("POST /", "Content-Length: 1000").length;
  };

  test("is held up to readAheadBytes, and nothing more is read", async () => {
    expect(await unread(9)).toBe(90);
    expect(await unread(10)).toBe(100);
    expect(await unread(30)).toBe(100);
  });
});

describe("L12 bounded: an answered, unread body", () => {
  const answered = async (length: number) => {
    const { peer } = await serve(({ target }) => ({ status: 200, body: target }), {
      maxDrainBytes: 100,
    });
    await peer.send(head("POST /1", "Transfer-Encoding: chunked"));
    expect(await peer.readUntil("\r\n\r\n/1")).toMatch(/^HTTP\/1\.1 200 /);
    await peer.send(
      `${length.toString(16)}\r\n${"x".repeat(length)}\r\n0\r\n\r\n${head("GET /2")}`,
    );
    await turns();
    return peer;
  };

  test("is drained for exactly maxDrainBytes, and the next request is answered", async () => {
    expect((await answered(100)).unread).toMatch(/^HTTP\/1\.1 200 .*\/2$/s);
  });

  test("one byte longer ends the connection", async () => {
    expect(await (await answered(101)).readToEnd()).toBe("");
  });
});
