import { connect, upgrade } from "@upgrade/client";
import { type ByteStream, ManualClock, memoryPair, type TrailersInit } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";
import { untyped, writtenRequest, writtenResponse } from "../../src/ways-to-send.ts";

// Objects whose values change between reads, or lie. What was checked is what is written.

const EVIL = "x\r\nInjected: yes";
const EVIL_LINES = [["Injected", "yes"]];

/** `message`, whose `key` is unchanged on the first read, and `evil` on later ones. */
function changingAt<T extends object>(message: T, key: keyof T, evil: unknown): T {
  let reads = 0;
  const good = message[key];
  return Object.defineProperty({ ...message }, key, {
    enumerable: true,
    get: () => (reads++ === 0 ? good : evil),
  });
}

/** Text that is valid on the first read. */
function changingText(good: string): string {
  let reads = 0;
  return untyped<string>({ toString: () => (reads++ === 0 ? good : EVIL) });
}

/** A list whose elements are valid on the first read. */
function changingList<T extends readonly unknown[]>(good: T): T {
  const list: unknown[] = [...good];
  good.forEach((element, i) => {
    let reads = 0;
    Object.defineProperty(list, i, { get: () => (reads++ === 0 ? element : EVIL) });
  });
  return untyped<T>(list);
}

/** Lines that differ on a second iteration. */
function changingLines<T>(good: readonly T[]): Iterable<T> {
  let rounds = 0;
  return { [Symbol.iterator]: () => untyped<T[]>(rounds++ === 0 ? good : EVIL_LINES).values() };
}

const TRAILED = { ...POST, version: "1.1", body: ["hi"], trailers: { T: "1" } } as const;
const TRAILED_WIRE = `${head("POST /", "Transfer-Encoding: chunked")}2\r\nhi\r\n0\r\nT: 1\r\n\r\n`;
const OK = { status: 200, reason: "Fine", headers: { A: "b" }, body: ["hi"], trailers: { T: "1" } };
const OK_WIRE = `${answer("200 Fine", "A: b", "Transfer-Encoding: chunked")}2\r\nhi\r\n0\r\nT: 1\r\n\r\n`;
const OFFER = ["Connection: Upgrade", "Upgrade: chat"] as const;

const CHAT = [
  ["Connection", "Upgrade"],
  ["Upgrade", "chat"],
] as const;

describe("L10: a message whose parts change is written as it was checked:", () => {
  test.each<[keyof typeof TRAILED, unknown]>([
    ["method", EVIL],
    ["target", EVIL],
    ["version", "1.0"],
    ["headers", EVIL_LINES],
    ["body", "something else"],
    ["trailers", EVIL_LINES],
  ])("the %s of a request", async (key, evil) => {
    expect(await writtenRequest(changingAt(TRAILED, key, evil))).toBe(TRAILED_WIRE);
  });

  test.each<[keyof typeof OK, unknown]>([
    ["status", 101],
    ["reason", EVIL],
    ["headers", EVIL_LINES],
    ["body", "something else"],
    ["trailers", EVIL_LINES],
  ])("the %s of a response", async (key, evil) => {
    expect(await writtenResponse(changingAt(OK, key, evil))).toBe(OK_WIRE);
  });

  test.each<["headers" | "firstBytes" | "status" | "reason", unknown]>([
    ["status", 200],
    ["reason", EVIL],
    ["headers", EVIL_LINES],
    ["firstBytes", EVIL],
  ])("the %s of a 101", async (key, evil) => {
    const accepted = { status: 101, reason: "Fine", headers: CHAT, firstBytes: "hi" };
    expect(await writtenResponse(changingAt(accepted, key, evil), head("GET /", ...OFFER))).toBe(
      `${answer("101 Fine", ...OFFER)}hi`,
    );
  });

  test.each<["headers" | "firstBytes", unknown]>([
    ["headers", EVIL_LINES],
    ["firstBytes", EVIL],
  ])("the %s of switchTo()", async (key, evil) => {
    const options = changingAt({ headers: { A: "b" }, firstBytes: "hi" }, key, evil);
    const { peer } = await serve(async (request) => {
      await request.switchTo("chat", options);
    });
    await peer.send(head("GET /", ...OFFER));
    await turns();
    expect(peer.unread).toBe(`${answer("101 Switching Protocols", "A: b", ...OFFER)}hi`);
  });

  const LINES: [string, readonly (readonly [string, string])[]][] = [
    ["a line", changingList([["A", "b"]])],
    ["a name and a value", [changingList(["A", "b"])]],
    ["a field of a record", untyped<[]>(changingAt({ A: "b" }, "A", EVIL))],
    ["the lines of an iterator", untyped<[]>(changingLines([["A", "b"]]))],
    ["a name and a value of an iterator", untyped<[]>(changingLines([changingList(["A", "b"])]))],
  ];
  test.each(LINES)("%s, in the headers of a response", async (_, headers) => {
    expect(await writtenResponse({ status: 204, headers })).toBe(answer("204 No Content", "A: b"));
  });

  test("a line in the headers of a request, of upgrade() and of connect()", async () => {
    const lines = () => [changingList(["Host", "a.test"] as const)];
    expect(await writtenRequest({ ...GET, headers: lines() })).toBe(head("GET /"));
    const proposed = async (begin: (io: ByteStream, clock: ManualClock) => Promise<unknown>) => {
      const [near, far] = memoryPair();
      const peer = new ScriptedPeer(far);
      begin(near, new ManualClock()).catch(() => {});
      return peer.readHead();
    };
    const protocol = changingList(["x", "chat"]);
    expect(
      await proposed((io, clock) =>
        upgrade(io, { target: "/", protocol, headers: lines() }, { clock }),
      ),
    ).toBe(head("GET /", "Connection: Upgrade", "Upgrade: x, chat"));
    expect(
      await proposed((io, clock) => connect(io, "a.test:1", { headers: lines(), clock })),
    ).toBe(head("CONNECT a.test:1"));
  });

  test("text that is read twice", async () => {
    const { headers } = GET;
    expect(await writtenRequest({ method: changingText("GET"), target: "/", headers })).toBe(
      head("GET /"),
    );
    expect(await writtenRequest({ method: "GET", target: changingText("/"), headers })).toBe(
      head("GET /"),
    );
    expect(await writtenResponse({ status: 204, reason: changingText("Fine") })).toBe(
      answer("204 Fine"),
    );
  });

  test("a request that is changed while it waits is sent as it was checked", async () => {
    const { peer, sender } = await dial();
    void sender.sendRequest(GET);
    const headers: [string, string][] = [["Host", "a.test"]];
    const trailers: [string, string][] = [["T", "1"]];
    const waiting = { method: "POST", target: "/", headers, body: ["hi"], trailers };
    void sender.sendRequest(waiting);
    Object.assign(waiting, { method: EVIL, target: EVIL, headers: EVIL_LINES, trailers: [] });
    headers[0]![1] = EVIL;
    trailers.push(["Host", "b.test"]);
    await peer.readHead();
    await peer.send(answer("204 No Content"));
    await turns();
    expect(peer.unread).toBe(TRAILED_WIRE);
  });
});

const ACCEPTANCE = [
  ["Connection", "Upgrade"],
  ["Upgrade", "chat"],
] as const;

/** Lines that can be iterated only once, such as those of a generator or a started iterator. */
const once = <T>(lines: readonly T[]): Iterable<T> => lines.values();

describe("L10: a response is read once, and what was checked is what is written", () => {
  test("a status that changes on every access is read once", async () => {
    let looks = 0;
    const { peer, connection } = await serve(() => ({
      get status() {
        return looks++ === 0 ? 200 : 101;
      },
      headers: ACCEPTANCE,
    }));
    await peer.send(head("GET /", ...OFFER));
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
    await peer.send(head("GET /", ...OFFER));
    expect(await peer.readHead()).toContain("\r\nUpgrade: chat\r\n");
    expect((await parts).switched?.protocol).toBe("chat");
  });

  test("headers that change while the body is drained before the 101 are sent as they were", async () => {
    const headers: [string, string][] = ACCEPTANCE.map(([name, value]) => [name, value]);
    const { peer, connection } = await serve(() => ({ status: 101, headers }));
    const parts = connection.withoutShutdown();
    await peer.send(head("POST /", ...OFFER, "Content-Length: 3"));
    await turns();
    headers[1]![1] = "something else";
    await peer.send("abc");
    expect(await peer.readHead()).toContain("\r\nUpgrade: chat\r\n");
    expect((await parts).switched?.protocol).toBe("chat");
  });
});
