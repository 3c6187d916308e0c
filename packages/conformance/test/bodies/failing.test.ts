import { Readable } from "node:stream";
import type { ClientRequest, SendOptions } from "@upgrade/client";
import type { BodyInit, TrailersInit } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { GET, head, POST } from "../../src/messages.ts";
import { destroyPairs, tcpPair } from "../../src/pairs/pairs.ts";
import { rejection } from "../../src/promises.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

/** Bodies whose last piece and failure come in the same turn. */
const FAILING: Record<string, () => { headers?: Record<string, string>; body: Iterable<string> }> =
  {
    "ends short": () => ({ headers: { "Content-Length": "9" }, body: ["piece"] }),
    "is too long": () => ({ headers: { "Content-Length": "5" }, body: ["piece", "!"] }),
    "throws": () => ({
      body: (function* () {
        yield "piece";
        throw new Error("boom");
      })(),
    }),
  };

// A peer on libuv that reads bytes followed by a reset sees an end instead, so nothing is handed over
// just before a reset.
describe.each(Object.entries(FAILING))(
  "L18: a body that %s in the turn of its last piece",
  (_, make) => {
    test("of a response: the peer sees only the reset", async () => {
      const { peer, reports } = await serve(() => ({ status: 200, ...make() }));
      await peer.send(head("GET /"));
      await peer.failed();
      expect([peer.unread, peer.ended]).toEqual(["", false]);
      expect(reports[0]).toMatch(/^response: BODY_(TOO_SHORT|TOO_LONG|FAILED)$/);
    });

    test("of a close-delimited response over TCP: never an end", async () => {
      const [near, far] = await tcpPair();
      await serveOn(near, () => ({ status: 200, ...make() }), { date: false });
      const seen = new Promise((resolve) => {
        far.once("data", (chunk) => resolve(String(chunk)));
        far.once("end", () => resolve("end"));
        far.once("error", resolve);
      });
      far.write("GET / HTTP/1.0\r\n\r\n");
      expect(await seen).toMatchObject({ code: "ECONNRESET" });
    });

    test("of a request: nothing is sent, and its body cannot be sent again", async () => {
      const { peer, sender } = await dial();
      const { headers, body } = make();
      const sent = sender.sendRequest({ ...POST, headers: { ...POST.headers, ...headers }, body });
      await expect(sent).rejects.toMatchObject({ sent: "nothing", retrySafe: false });
      await peer.failed();
      await turns();
      expect(peer.unread).toBe("");
    });
  },
);

describe("L9: a body returned unsent by a request", () => {
  const givenBack = async () => {
    const { sender, connection } = await dial();
    connection.abort();
    const body = new Readable({ read() {} });
    const pending = sender.sendRequest({ ...POST, body });
    await expect(pending).rejects.toMatchObject({ retrySafe: true });
    return body;
  };

  test("that fails before its owner listens does not end the process", async () => {
    const unhandled = watchUnhandled();
    const body = await givenBack();
    body.destroy(new Error("disk"));
    expect(await unhandled.settled()).toEqual([]);
    expect(body.errored).toMatchObject({ message: "disk" });
    unhandled.stop();
  });

  test("that fails while its owner listens is reported to the owner alone", async () => {
    const body = await givenBack();
    const seen: string[] = [];
    body.on("error", ({ message }) => seen.push(message));
    expect([body.listenerCount("error"), body.listenerCount("newListener")]).toEqual([1, 0]);
    body.destroy(new Error("disk"));
    await turns();
    expect(seen).toEqual(["disk"]);
  });

  test("repeatedly has one silent listener", async () => {
    const body = await givenBack();
    for (let i = 0; i < 12; i++) {
      const { sender, connection } = await dial();
      connection.abort();
      await expect(sender.sendRequest({ ...POST, body })).rejects.toMatchObject({
        retrySafe: true,
      });
    }
    expect([body.listenerCount("error"), body.listenerCount("newListener")]).toEqual([1, 1]);
    body.destroy();
  });
});

const hostile = (): never => {
  throw new Error("hostile");
};

const bodyOf = (next: () => unknown): BodyInit =>
  ({ [Symbol.asyncIterator]: () => ({ next }) }) as BodyInit;

const MESSAGES: [string, { body: BodyInit; trailers?: TrailersInit }, code?: string][] = [
  ["a body whose next() resolves to null", { body: bodyOf(async () => null) }],
  ["a body whose next() resolves to undefined", { body: bodyOf(async () => undefined) }],
  ["a body without next()", { body: bodyOf(undefined as never) }],
  [
    "a body whose result getter throws",
    {
      body: bodyOf(() => ({
        get done() {
          return hostile();
        },
      })),
    },
  ],
  [
    "a body whose iterator is undefined",
    { body: { [Symbol.asyncIterator]: () => undefined } as never },
  ],
  ["a body whose iterator is null", { body: { [Symbol.asyncIterator]: () => null } as never }],
  [
    "a stream whose read() resolves to undefined",
    { body: { getReader: () => ({ read: async () => {}, cancel: hostile }) } as never },
  ],
  ["a stream without a reader", { body: { getReader: () => undefined } as never }],
  [
    "late trailers whose getter throws",
    {
      body: "x",
      trailers: async () => ({
        get a() {
          return hostile();
        },
      }),
    },
    "INVALID_HEADERS",
  ],
  [
    "late trailers that throw halfway",
    { body: "x", trailers: () => ({ [Symbol.iterator]: hostile }) as never },
    "INVALID_HEADERS",
  ],
];

describe("L8, L9: a body that breaks while it is sent fails its message, and no promise hangs:", () => {
  test.each(MESSAGES)("a response with %s", async (_, message, code = "BODY_FAILED") => {
    const { peer, connection, reports } = await serve(() => ({ status: 200, ...message }));
    const over = rejection(connection.run());
    await peer.send(head("GET /"));
    expect(await over).toBe(code);
    expect(String(await peer.failed())).toContain("aborted");
    expect(peer.unread).not.toContain("0\r\n\r\n");
    expect(reports).toEqual([`response: ${code}`]);
  });

  test.each(MESSAGES)("a request with %s", async (_, message, code = "BODY_FAILED") => {
    const { peer, sender, connection } = await dial();
    const over = rejection(connection.run());
    expect(await rejection(sender.sendRequest({ ...POST, ...message }))).toBe(code);
    expect(await over).toBe(code);
    expect(String(await peer.failed())).toContain("aborted");
    expect(peer.unread).not.toContain("0\r\n\r\n");
  });
});

describe("L8: sendRequest() never throws synchronously, and sends nothing of a rejected request:", () => {
  test.each([
    ["no request", null, {}],
    ["options that are null", GET, null],
    ["an object that is not a signal", GET, { signal: { aborted: false } }],
    [
      "a signal whose getter throws",
      GET,
      {
        signal: {
          get aborted() {
            return hostile();
          },
        },
      },
    ],
    ["a target whose toString throws", { ...GET, target: { toString: hostile } }, {}],
    ["headers that throw halfway", { ...GET, headers: { [Symbol.iterator]: hostile } }, {}],
  ])("%s", async (_, request, options) => {
    const { peer, sender } = await dial();
    const refused = sender.sendRequest(request as unknown as ClientRequest, options as SendOptions);
    await expect(refused).rejects.toThrow();
    void sender.sendRequest({ ...GET, target: "/next" });
    expect(await peer.readHead()).toMatch(/^GET \/next /);
    expect(sender.isClosed).toBe(false);
  });
});

describe("L18 a failure looks like one: a body that throws", () => {
  const boom = new Error("boom");
  const throwing: [string, () => BodyInit][] = [
    [
      "at its first piece",
      () => ({ [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(boom) }) }),
    ],
    [
      "when it is started",
      () => ({
        [Symbol.asyncIterator]: (): never => {
          throw boom;
        },
      }),
    ],
    [
      "from next(), synchronously",
      () => ({
        [Symbol.asyncIterator]: () => ({
          next: (): never => {
            throw boom;
          },
        }),
      }),
    ],
    [
      "from an array's iterator",
      () => ({
        [Symbol.iterator]: (): never => {
          throw boom;
        },
      }),
    ],
    ["as a stream that fails", () => new ReadableStream({ pull: (c) => c.error(boom) })],
    ["with an invalid piece", () => [7 as never]],
    [
      "and whose return() throws as well",
      () => ({
        [Symbol.asyncIterator]: () => ({
          next: async () => ({ done: false, value: 7 as never }),
          return: (): never => {
            throw boom;
          },
        }),
      }),
    ],
  ];

  test.each(throwing)(
    "%s: the server's peer sees a failure, which is reported to onError",
    async (_, make) => {
      const { peer, reports } = await serve(() => ({ status: 200, body: make() }));
      await peer.send(head("GET /"));
      await peer.failed();
      expect(peer.ended).toBe(false);
      expect(peer.unread).not.toContain("0\r\n\r\n");
      expect(reports[0]).toMatch(/^response: (BODY_FAILED|INVALID_BODY)$/);
    },
  );

  test.each(throwing)("%s: the request rejects, and its peer sees a failure", async (_, make) => {
    const { peer, sender } = await dial();
    const pending = sender.sendRequest({ ...POST, body: make() });
    expect(await rejection(pending)).toMatch(/^(BODY_FAILED|INVALID_BODY)$/);
    await peer.failed();
    expect(peer.unread).not.toContain("0\r\n\r\n");
  });

  test("midway: the body stays truncated, without a last chunk", async () => {
    async function* body() {
      yield "half";
      await turns();
      throw boom;
    }
    const { peer, sender } = await dial();
    const pending = sender.sendRequest({ ...POST, body: body() });
    pending.catch(() => {});
    await peer.readUntil("4\r\nhalf\r\n");
    await peer.failed();
    await expect(pending).rejects.toMatchObject({ code: "BODY_FAILED", cause: boom, sent: "part" });
    expect(peer.unread).toBe("");
  });
});
