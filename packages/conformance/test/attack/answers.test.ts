import type { Parts, TrailersInit } from "@upgrade/core/io";
import type { ServerResponse, ServiceResult } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection, standing } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

const PROPOSAL = ["Connection: Upgrade", "Upgrade: chat"];
const ACCEPTANCE = [
  ["Connection", "Upgrade"],
  ["Upgrade", "chat"],
] as const;

/** Lines that can be iterated only once, such as those of a generator or a started iterator. */
const once = <T>(lines: readonly T[]): Iterable<T> => lines.values();

/** Values that the types forbid, but untyped programs may pass. */
const untyped = <T>(value: unknown): T => value as T;

const hostile = (): never => {
  throw new Error("hostile");
};

/** A thenable. */
const thenable = (get: () => unknown): object =>
  new Proxy(
    {},
    {
      has: (_, name) => name === "then",
      get: (_, name) => (name === "then" ? get() : undefined),
    },
  );

describe("L9: no thenable returned by a service crashes the server", () => {
  test.each([
    ["whose then getter throws", thenable(hostile)],
    ["whose then throws", thenable(() => hostile)],
    ["whose has trap throws", new Proxy({}, { has: hostile })],
  ])("something %s is a 500, and the next request is served", async (_, result) => {
    let calls = 0;
    const { peer, reports } = await serve(() =>
      calls++ === 0 ? untyped<ServiceResult>(result) : { status: 204 },
    );
    await peer.send(head("GET /1") + head("GET /2"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 204 /);
    expect(reports).toEqual(["service: hostile"]);
  });

  test("a thenable that resolves twice answers once", async () => {
    const then = (answer: (response: ServerResponse) => void, fail: (error: unknown) => void) => {
      answer({ status: 204 });
      answer({ status: 200, body: "once more" });
      fail(new Error("and it failed"));
    };
    const twice = thenable(() => then);
    const { peer, reports } = await serve(() => untyped<Promise<ServiceResult>>(twice));
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 204 /);
    await turns();
    expect(peer.unread).toBe("");
    expect(reports).toEqual([]);
  });
});

describe("L10: a response is read once, and what was checked is what is written", () => {
  test("a status that changes on every access is read once", async () => {
    let looks = 0;
    const { peer, connection } = await serve(() => ({
      get status() {
        return looks++ === 0 ? 200 : 101;
      },
      headers: ACCEPTANCE,
    }));
    await peer.send(head("GET /", ...PROPOSAL));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 200 /);
    expect(connection.state.server).not.toBe("switched-protocol");
  });

  test("headers that can be read only once are sent, beside trailers that are checked with them", async () => {
    const { peer } = await serve(() => ({
      status: 200,
      headers: once([["A", "b"]] as const),
      body: "x",
      trailers: once([["T", "1"]] as const),
    }));
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toBe(
      "HTTP/1.1 200 OK\r\nA: b\r\nTransfer-Encoding: chunked\r\n\r\n",
    );
    expect(await peer.readUntil("0\r\n")).toBe("1\r\nx\r\n0\r\n");
    expect(await peer.readHead()).toBe("T: 1\r\n\r\n");
  });

  test("trailers of a request that can be read only once are sent", async () => {
    const { sender, peer } = await dial();
    const trailers: TrailersInit = once([["T", "1"]] as const);
    void sender.sendRequest({ ...POST, body: "x", trailers });
    await peer.readHead();
    await peer.readUntil("0\r\n");
    expect(await peer.readHead()).toBe("T: 1\r\n\r\n");
  });

  test("a 101 with headers that can be read only once switches", async () => {
    const { peer, connection } = await serve(() => ({ status: 101, headers: once(ACCEPTANCE) }));
    const parts = connection.withoutShutdown();
    await peer.send(head("GET /", ...PROPOSAL));
    expect(await peer.readHead()).toContain("\r\nUpgrade: chat\r\n");
    expect((await parts).switched?.protocol).toBe("chat");
  });

  test("headers that change while the body is drained before the 101 are sent as they were", async () => {
    const headers: [string, string][] = ACCEPTANCE.map(([name, value]) => [name, value]);
    const { peer, connection } = await serve(() => ({ status: 101, headers }));
    const parts = connection.withoutShutdown();
    await peer.send(head("POST /", ...PROPOSAL, "Content-Length: 3"));
    await turns();
    headers[1]![1] = "something else";
    await peer.send("abc");
    expect(await peer.readHead()).toContain("\r\nUpgrade: chat\r\n");
    expect((await parts).switched?.protocol).toBe("chat");
  });
});

describe("L10: the first bytes of the new protocol are checked together with the head", () => {
  test("text beyond latin-1 is sent as UTF-8, as in a body", async () => {
    // Truncated to one octet, U+010A would be a line feed.
    const { peer } = await serve((request) => {
      void request.switchTo("chat", { firstBytes: "\u010a" });
    });
    await peer.send(head("GET /", ...PROPOSAL));
    await peer.readHead();
    expect(await peer.read(2)).toBe("\xc4\x8a");
  });

  test.each([
    ["a number", 5],
    ["an object", {}],
    ["an iterable", ["a", "b"]],
    ["a view of elements other than bytes", new Uint16Array([300])],
  ])("%s is refused, and the service may still answer", async (_, firstBytes) => {
    let refused!: Promise<Parts<unknown>>;
    const { peer } = await serve((request) => {
      refused = request.switchTo("chat", { firstBytes: untyped<string>(firstBytes) });
      return { status: 403 };
    });
    await peer.send(head("GET /", ...PROPOSAL));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 403 /);
    expect(await standing(refused)).toBe("INVALID_BODY");
  });
});

describe("L8: a body whose head is refused is not left waiting", () => {
  test.each([
    ["an invalid field name", { headers: { "not a name": "x" } }],
    ["forbidden trailers", { trailers: { Host: "a.test" } }],
    ["a status without a body", { status: 204, headers: { "Content-Length": 4 } }],
  ])("its producer is notified if the response has %s", async (_, wrong) => {
    let returns = 0;
    const body = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        async return() {
          returns++;
          return { done: true as const, value: undefined };
        },
      }),
    };
    const { peer } = await serve(() => ({ status: 200, body, ...wrong }));
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(returns).toBe(1);
  });
});

describe("L16: one failure is reported once", () => {
  test.each([
    ["with a length", answer("200 OK", "Content-Length: 10")],
    ["chunked", answer("200 OK", "Transfer-Encoding: chunked")],
  ])("when upstream is cut in the middle of a relayed response, %s", async (_, upstreamHead) => {
    const upstream = await dial();
    const { peer, connection, reports } = await serve(() => upstream.sender.sendRequest(GET));
    const over = rejection(connection.run());
    await peer.send(head("GET /"));
    await upstream.peer.readHead();
    await upstream.peer.send(`${upstreamHead}3`);
    await peer.readHead();
    upstream.peer.reset();
    expect(await over).toBe("BODY_FAILED");
    await peer.failed();
    expect(reports).toEqual(["response: BODY_FAILED"]);
    expect(connection.closeReason).toMatchObject({
      error: { phase: "response", cause: { code: "TRANSPORT_FAILED" } },
    });
  });
});
