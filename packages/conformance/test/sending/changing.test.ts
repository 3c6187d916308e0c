import { type ClientRequest, connect, handshake as connectTo, upgrade } from "@upgrade/client";
import { type ByteStream, ManualClock, memoryPair } from "@upgrade/core/io";
import type { ServiceResult } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { destroyPairs, PAIRS } from "../../src/pairs/pairs.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";
import { untyped } from "../../src/ways-to-send.ts";

// Objects whose values change between reads, or lie. What was checked is what is written.

afterEach(destroyPairs);

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

/** What our client writes for a request. */
async function written(request: unknown): Promise<string> {
  const { peer, sender } = await dial();
  sender.sendRequest(untyped<ClientRequest>(request)).catch(() => {});
  await turns();
  return peer.unread;
}

/** What our server writes for a response. */
async function answered(response: object, asks = head("GET /")): Promise<string> {
  const { peer } = await serve(() => untyped<ServiceResult>(response), { claimMs: 0 });
  await peer.send(asks);
  await turns();
  return peer.unread;
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
    expect(await written(changingAt(TRAILED, key, evil))).toBe(TRAILED_WIRE);
  });

  test.each<[keyof typeof OK, unknown]>([
    ["status", 101],
    ["reason", EVIL],
    ["headers", EVIL_LINES],
    ["body", "something else"],
    ["trailers", EVIL_LINES],
  ])("the %s of a response", async (key, evil) => {
    expect(await answered(changingAt(OK, key, evil))).toBe(OK_WIRE);
  });

  test.each<["headers" | "firstBytes" | "status" | "reason", unknown]>([
    ["status", 200],
    ["reason", EVIL],
    ["headers", EVIL_LINES],
    ["firstBytes", EVIL],
  ])("the %s of a 101", async (key, evil) => {
    const accepted = { status: 101, reason: "Fine", headers: CHAT, firstBytes: "hi" };
    expect(await answered(changingAt(accepted, key, evil), head("GET /", ...OFFER))).toBe(
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
    expect(await answered({ status: 204, headers })).toBe(answer("204 No Content", "A: b"));
  });

  test("a line in the headers of a request, of upgrade() and of connect()", async () => {
    const lines = () => [changingList(["Host", "a.test"] as const)];
    expect(await written({ ...GET, headers: lines() })).toBe(head("GET /"));
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
    expect(await written({ method: changingText("GET"), target: "/", headers })).toBe(
      head("GET /"),
    );
    expect(await written({ method: "GET", target: changingText("/"), headers })).toBe(
      head("GET /"),
    );
    expect(await answered({ status: 204, reason: changingText("Fine") })).toBe(answer("204 Fine"));
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

class Lying extends Uint8Array {
  override get length(): number {
    return 2;
  }
  override get byteLength(): number {
    return 2;
  }
}

describe("L10: the length of bytes is what is written, whatever they claim:", () => {
  const LIARS: [string, () => Uint8Array][] = [
    ["of a subclass", () => Lying.from(Buffer.from("hi\r\nInjected"))],
    [
      "with an overridden length",
      () => Object.defineProperty(new Uint8Array(Buffer.from("hi, all")), "length", { value: 2 }),
    ],
  ];

  /** The length declared in a head, and the actual length of the body. */
  const lengths = (wire: string) => {
    const [, declared] = /^Content-Length: ([0-9]+)$/m.exec(wire.replaceAll("\r", "")) ?? [];
    return [Number(declared), wire.slice(wire.indexOf("\r\n\r\n") + 4).length];
  };

  test.each(LIARS)("%s, as a body", async (_, make) => {
    for (const wire of [
      await written({ ...POST, body: make() }),
      await answered({ status: 200, body: make() }),
    ]) {
      const [declared, came] = lengths(wire);
      expect([wire, declared]).toEqual([wire, came]);
    }
  });

  test.each(LIARS)("%s, as a piece", async (_, make) => {
    const wire = await answered({ status: 200, body: [make()] });
    const [, size = "", data] = /\r\n\r\n([0-9a-f]+)\r\n(.*)\r\n0\r\n\r\n$/s.exec(wire) ?? [];
    expect(data).toHaveLength(Number.parseInt(size, 16));
  });
});

interface Resizable extends ArrayBuffer {
  resize(length: number): void;
}

/** Five bytes, and ways to turn them into four, six or none before they are written. */
const five = (buffer = new ArrayBuffer(5)) => new Uint8Array(buffer).fill(65);
const resizable = () => {
  const make = ArrayBuffer as unknown as new (length: number, options: object) => Resizable;
  return new make(5, { maxByteLength: 6 });
};
const CHANGES: [string, () => [body: Uint8Array, change: () => void]][] = [
  [
    "detached",
    () => {
      const body = five();
      return [body, () => void structuredClone(body.buffer, { transfer: [body.buffer] })];
    },
  ],
  ...[4, 6].map((length): [string, () => [Uint8Array, () => void]] => [
    `resized to ${length}`,
    () => {
      const buffer = resizable();
      return [five(buffer), () => buffer.resize(length)];
    },
  ]),
];

describe.each(CHANGES)("L10: bytes that are %s before they are written", (_, make) => {
  test.each(PAIRS)("fail their request, and nothing of it is sent, over $name", async (pair) => {
    const [near, far] = await pair.make();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(near);
    const [body, change] = make();
    const failure = rejection(sender.sendRequest({ ...POST, body }));
    change();
    expect(await failure).toBe("BODY_CHANGED");
    expect(await connection.closed).toMatchObject({ kind: "failed", error: { sent: "nothing" } });
    await peer.readToEnd().catch(() => {});
    expect(peer.unread).toBe("");
  });

  test("fail the connection of their response, which is reported to onError", async () => {
    const [body, change] = make();
    const { peer, connection, reports } = await serve(({ target }) => {
      if (target === "/1") return { status: 200, body };
      // The response to the first request waits for this one: both are sent in one write.
      change();
      return { status: 204 };
    });
    await peer.send(head("GET /1") + head("GET /2"));
    await connection.closed;
    await peer.failed();
    expect([peer.unread, reports]).toEqual(["", ["connection: BODY_CHANGED"]]);
  });

  test("fail a body in pieces at the changed piece", async () => {
    const { peer, sender } = await dial();
    const [piece, change] = make();
    async function* body() {
      yield piece;
      change();
      yield "more";
    }
    expect(await rejection(sender.sendRequest({ ...POST, body: body() }))).toBe("BODY_CHANGED");
    await peer.failed();
    expect(peer.unread).not.toContain("A");
  });
});
