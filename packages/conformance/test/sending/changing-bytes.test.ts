import { handshake as connectTo } from "@upgrade/client";
import { afterEach, describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { head, POST } from "../../src/messages.ts";
import { destroyPairs, PAIRS } from "../../src/pairs/pairs.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { writtenRequest, writtenResponse } from "../../src/ways-to-send.ts";

// Objects whose values change between reads, or lie. What was checked is what is written.

afterEach(destroyPairs);

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
      await writtenRequest({ ...POST, body: make() }),
      await writtenResponse({ status: 200, body: make() }),
    ]) {
      const [declared, came] = lengths(wire);
      expect([wire, declared]).toEqual([wire, came]);
    }
  });

  test.each(LIARS)("%s, as a piece", async (_, make) => {
    const wire = await writtenResponse({ status: 200, body: [make()] });
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
