import { handshake as connectTo } from "@upgrade/client";
import { type LimitName, resolveLimits } from "@upgrade/core";
import { type ByteStream, ManualClock, memoryPair } from "@upgrade/core/io";
import { type Service, handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

/** Documented defaults that users rely on. */
const DEFAULTS: Record<LimitName, number> = {
  maxHeadBytes: 16_384,
  maxTargetBytes: 8_192,
  maxHeaders: 100,
  maxTrailerBytes: 8_192,
  maxTrailers: 32,
  maxChunkExtensionBytes: 4_096,
  maxInterimResponses: 32,
  maxBodyBytes: Infinity,
  maxDrainBytes: 65_536,
  lingerBytes: 262_144,
  readAheadBytes: 16_384,
  writeHighWaterBytes: 65_536,
  maxQueuedRequests: 16,
  maxRequests: Infinity,
  pipeline: 1,
  minBodyBytesPerSecond: 500,
  minStreamBytesPerSecond: 500,
  headMs: 30_000,
  idleMs: 60_000,
  bodyProgressMs: 30_000,
  writeProgressMs: 30_000,
  continueMs: 1_000,
  uploadGraceMs: 10_000,
  drainMs: 5_000,
  lingerMs: 2_000,
  claimMs: 10_000,
  closeMs: 10_000,
  maxAgeMs: 0,
};

test("each limit has its documented default, and no other limit exists", () => {
  expect(resolveLimits()).toEqual(DEFAULTS);
});

const CHUNKED = "Transfer-Encoding: chunked";
const fields = (n: number): string[] => Array.from({ length: n }, (_, i) => `A${i}: b`);
/** `text`, with its asterisk replaced by letters up to `length`. */
const padded = (text: string, length: number): string =>
  text.replace("*", "a".repeat(length - text.length + 1));
const reading: Service<ByteStream> = async ({ body }) => {
  for await (const _ of body);
  return { status: 200 };
};

/** Messages with `n` of what is limited, and the result of one more. */
const MESSAGES: Record<
  string,
  readonly [
    limit: number,
    status: number,
    request: (n: number) => string,
    response?: (n: number) => string,
  ]
> = {
  "a head": [
    DEFAULTS.maxHeadBytes,
    431,
    (n) => padded(head("GET /", "A: *"), n),
    (n) => padded(answer("200 OK", "Content-Length: 0", "A: *"), n),
  ],
  "a head, including leading empty lines": [
    DEFAULTS.maxHeadBytes,
    431,
    (n) => padded(`\r\n\r\n${head("GET /", "A: *")}`, n),
  ],
  "a target": [DEFAULTS.maxTargetBytes, 414, (n) => head(`GET /${"a".repeat(n - 1)}`)],
  "fields": [
    DEFAULTS.maxHeaders,
    431,
    (n) => head("GET /", ...fields(n - 1)),
    (n) => answer("200 OK", "Content-Length: 0", ...fields(n - 1)),
  ],
  "trailers": [
    DEFAULTS.maxTrailerBytes,
    431,
    (n) => `${head("POST /", CHUNKED)}0\r\n${padded("A: *\r\n\r\n", n)}`,
    (n) => `${answer("200 OK", CHUNKED)}0\r\n${padded("A: *\r\n\r\n", n)}`,
  ],
  "trailer fields": [
    DEFAULTS.maxTrailers,
    431,
    (n) => `${head("POST /", CHUNKED)}0\r\n${fields(n).join("\r\n")}\r\n\r\n`,
    (n) => `${answer("200 OK", CHUNKED)}0\r\n${fields(n).join("\r\n")}\r\n\r\n`,
  ],
  "chunk extensions of a message": [
    DEFAULTS.maxChunkExtensionBytes,
    413,
    (n) =>
      `${head("POST /", CHUNKED)}1;${"a".repeat(n >> 1)}\r\nx\r\n1;${"a".repeat(n - (n >> 1) - 2)}\r\nx\r\n0\r\n\r\n`,
    (n) => `${answer("200 OK", CHUNKED)}3;${"a".repeat(n - 1)}\r\nabc\r\n0\r\n\r\n`,
  ],
};

const REQUESTS = Object.entries(MESSAGES).map(([what, [limit, status, make]]) => {
  return { what, limit, status, make };
});
const RESPONSES = Object.entries(MESSAGES).flatMap(([what, [limit, , , make]]) =>
  make === undefined ? [] : [{ what, limit, make }],
);

test.each(REQUESTS)(
  "L12: of $what $limit in a request pass, and one more is a $status",
  async ({ limit, status, make }) => {
    for (const [count, expected] of [
      [limit, 200],
      [limit + 1, status],
    ] as const) {
      const { peer } = await serve(reading);
      await peer.send(make(count));
      expect(await peer.readHead()).toMatch(new RegExp(`^HTTP/1\\.1 ${expected} `));
    }
  },
);

test.each(RESPONSES)(
  "L12: of $what $limit in a response pass, and one more fails",
  async ({ limit, make }) => {
    for (const isOver of [false, true]) {
      const { peer, sender } = await dial();
      const read = sender.sendRequest(GET).then(({ body }) => body.bytes());
      read.catch(() => {});
      await peer.readHead();
      await peer.send(make(isOver ? limit + 1 : limit));
      expect(await rejection(read)).toMatch(isOver ? /_TOO_|^TOO_MANY/ : /^resolved$/);
    }
  },
);

describe("L12: by default", () => {
  test("at most 16 requests wait while one is in flight", async () => {
    const { sender } = await dial();
    for (let i = 0; i < 17; i++) sender.sendRequest(GET).catch(() => {});
    expect(await rejection(sender.sendRequest(GET))).toBe("QUEUE_FULL");
  });

  test("65,536 bytes are drained, and one more is not", async () => {
    for (const [length, how] of [
      [65_536, "drained"],
      [65_537, "closed"],
    ] as const) {
      const { peer, sender } = await dial();
      const sent = sender.sendRequest(GET);
      await peer.readHead();
      await peer.send(answer("200 OK", `Content-Length: ${length}`));
      const canceled = (await sent).body.cancel();
      void peer.send("x".repeat(length)).catch(() => {});
      expect(await canceled).toBe(how);
    }
  });

  test("262,144 bytes are discarded after the last response, and one more aborts the connection", async () => {
    for (const [length, isOver] of [
      [262_144, false],
      [262_145, true],
    ] as const) {
      const { peer, connection } = await serve(() => ({ status: 200 }));
      await peer.send(head("GET /", "Connection: close"));
      await peer.readToEnd();
      for (let left: number = length; left > 0; left -= 65_536) {
        void peer.send("x".repeat(Math.min(left, 65_536))).catch(() => {});
      }
      await turns(20);
      expect((await stateOf(connection.closed)) !== "pending").toBe(isOver);
    }
  });

  test("16,384 bytes of later requests are read ahead", async () => {
    const { peer, connection } = await serve(() => new Promise(() => {}));
    await peer.send(head("GET /"));
    await turns();
    const { bytesRead } = connection.stats;
    for (let i = 0; i < 40; i++) void peer.send("x".repeat(1_024));
    await turns(20);
    expect(connection.stats.bytesRead - bytesRead).toBe(16_384);
  });

  test("65,536 bytes wait for a peer that reads nothing, then a streamed body pauses", async () => {
    const [near] = memoryPair(1);
    let made = 0;
    function* body() {
      for (;;) {
        made += 1_024;
        yield "x".repeat(1_024);
      }
    }
    const { sender } = await connectTo(near, { clock: new ManualClock() });
    sender.sendRequest({ ...POST, body: body() }).catch(() => {});
    await turns(20);
    expect(made).toBeGreaterThan(65_536 - 2_048);
    expect(made).toBeLessThanOrEqual(65_536 + 1_024);
    near.abort(new Error("over"));
  });
});

test("L13: an unclaimed switch has 10 seconds", async () => {
  const [io, far] = memoryPair();
  const clock = new ManualClock();
  const peer = new ScriptedPeer(far);
  const headers = { Connection: "Upgrade", Upgrade: "chat" };
  const { connection } = await serveOn(io, () => ({ status: 101, headers }), { clock });
  await peer.send(head("GET /", "Connection: Upgrade", "Upgrade: chat"));
  await peer.readHead();
  await turns();
  clock.advance(9_999);
  expect(peer.failure).toBe(undefined);
  clock.advance(1);
  expect(connection.closeReason).toMatchObject({ error: { code: "SWITCH_UNCLAIMED" } });
});

test("L13: a client may idle forever, and a server's connection has no maximum age", async () => {
  const { clock, connection } = await dial();
  expect(clock.pending).toBe(0);
  expect(connection.closeReason).toBe(undefined);
  const gate = new Promise<never>(() => {});
  const served = await serve(() => gate);
  await served.peer.send(head("GET /"));
  await turns();
  served.clock.advance(1_000_000_000);
  expect(served.connection.closeReason).toBe(undefined);
});
