import type { ClientOptions } from "@upgrade/client";
import { Deferred, type ManualClock } from "@upgrade/core/io";
import type { ServerOptions } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import type { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

const CHUNKED = "Transfer-Encoding: chunked";
const HOUR_MS = 3_600_000;

interface Driven {
  readonly peer: ScriptedPeer;
  readonly clock: ManualClock;
  readonly code: () => string | undefined;
}

/** A service that reads a body of which `begin` has arrived. */
async function receiving(begin: string, options: ServerOptions = {}): Promise<Driven> {
  const { peer, clock, connection } = await serve(async ({ body }) => {
    for await (const _ of body);
    return { status: 200 };
  }, options);
  await peer.send(begin);
  await turns();
  return { peer, clock, code: () => codeOf(connection.closeReason) };
}

/** A client that reads a response of which `begin` has arrived. */
async function answered(begin: string, options: ClientOptions = {}): Promise<Driven> {
  const { peer, sender, clock, connection } = await dial(options);
  const read = sender.sendRequest(GET).then(async ({ body }) => {
    for await (const _ of body);
  });
  read.catch(() => {});
  await peer.readHead();
  await peer.send(begin);
  await turns();
  return { peer, clock, code: () => codeOf(connection.closeReason) };
}

function codeOf(reason: unknown): string | undefined {
  return (reason as { error?: { code: string } } | undefined)?.error?.code;
}

/** The peer sends `piece` every `everyMs`. Returns how long that lasted, at most `untilMs`. */
async function drip(
  { peer, clock, code }: Driven,
  piece: string,
  everyMs: number,
  untilMs: number,
) {
  let ms = 0;
  for (; ms < untilMs && code() === undefined; ms += everyMs) {
    clock.advance(everyMs);
    void peer.send(piece).catch(() => {});
    await turns(1);
  }
  return ms;
}

const SLOW_BODIES = [
  { what: "of known length", begin: head("POST /", "Content-Length: 1000"), piece: "x" },
  { what: "of chunks of one byte", begin: head("POST /", CHUNKED), piece: "1\r\nx\r\n" },
  { what: "of one endless chunk", begin: `${head("POST /", CHUNKED)}fffffff\r\n`, piece: "x" },
  { what: "of a chunk extension", begin: `${head("POST /", CHUNKED)}1;`, piece: "x" },
];

describe("L12, L13: a request body that arrives too slowly", () => {
  test.each(SLOW_BODIES)(
    "$what, one piece every 29 seconds, is a 408 after a minute",
    async (row) => {
      const driven = await receiving(row.begin);
      expect(await drip(driven, row.piece, 29_000, HOUR_MS)).toBeLessThanOrEqual(60_000);
      expect(driven.code()).toBe("BODY_TIMEOUT");
      expect(await driven.peer.readToEnd()).toMatch(/^HTTP\/1\.1 408 /);
    },
  );

  test.each(SLOW_BODIES)(
    "$what continues if there is no minimum speed",
    async ({ begin, piece }) => {
      const options = { minBodyBytesPerSecond: 0, minStreamBytesPerSecond: 0 };
      const driven = await receiving(begin, options);
      expect(await drip(driven, piece, 29_000, HOUR_MS)).toBeGreaterThanOrEqual(HOUR_MS);
    },
  );

  test("ends even after a fast start: a megabyte in the first second buys no extra hour", async () => {
    const driven = await receiving(head("POST /", "Content-Length: 9999999"));
    await drip(driven, "x".repeat(50_000), 50, 1_000);
    expect(await drip(driven, "x", 29_000, HOUR_MS)).toBeLessThanOrEqual(60_000);
    expect(driven.code()).toBe("BODY_TIMEOUT");
  });

  test("after the response has begun is a reset", async () => {
    const { peer, clock, connection } = await serve(({ body }) => ({ status: 200, body }));
    await peer.send(`${head("POST /", CHUNKED)}1\r\nx\r\n`);
    await peer.readUntil("1\r\nx\r\n");
    const code = () => codeOf(connection.closeReason);
    await drip({ peer, clock, code }, "1\r\nx\r\n", 29_000, HOUR_MS);
    await peer.failed();
    expect(code()).toBe("BODY_TIMEOUT");
  });
});

test("L13: a body at the minimum speed may take any time", async () => {
  const driven = await receiving(head("POST /", `Content-Length: ${500 * 3_600}`));
  expect(await drip(driven, "x".repeat(5_000), 10_000, HOUR_MS)).toBeGreaterThanOrEqual(HOUR_MS);
  expect(await driven.peer.readHead()).toMatch(/^HTTP\/1\.1 200 /);
});

describe("L12, L13: a response body that arrives too slowly", () => {
  test("fails if its length is known", async () => {
    const driven = await answered(answer("200 OK", "Content-Length: 1000"));
    expect(await drip(driven, "x", 29_000, HOUR_MS)).toBeLessThanOrEqual(60_000);
    expect(driven.code()).toBe("BODY_TIMEOUT");
  });

  test.each([
    { what: "chunked", begin: answer("200 OK", CHUNKED), piece: "1\r\nx\r\n" },
    { what: "until the end", begin: answer("200 OK"), piece: "x" },
  ])("may be an event stream if it is $what, unless configured otherwise", async (row) => {
    const events = await answered(row.begin);
    expect(await drip(events, row.piece, 29_000, HOUR_MS)).toBeGreaterThanOrEqual(HOUR_MS);
    const bounded = await answered(row.begin, { minStreamBytesPerSecond: 500 });
    expect(await drip(bounded, row.piece, 29_000, HOUR_MS)).toBeLessThanOrEqual(60_000);
    expect(bounded.code()).toBe("BODY_TIMEOUT");
  });
});

describe("L13: a trailer section has headMs from the last chunk", () => {
  const begin = `${head("POST /", CHUNKED)}1\r\nx\r\n0\r\nA: `;

  test("in a request, however its bytes drip in", async () => {
    const driven = await receiving(begin);
    expect(await drip(driven, "x", 1_000, HOUR_MS)).toBe(30_000);
    expect(driven.code()).toBe("BODY_TIMEOUT");
    expect(await driven.peer.readToEnd()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("in a response", async () => {
    const response = begin.slice(begin.indexOf("1\r\nx"));
    const driven = await answered(`${answer("200 OK", CHUNKED)}${response}`, { headMs: 5_000 });
    expect(await drip(driven, "x", 1_000, HOUR_MS)).toBe(5_000);
    expect(driven.code()).toBe("BODY_TIMEOUT");
  });

  test("even if none of it arrives", async () => {
    const driven = await receiving(`${head("POST /", CHUNKED)}0\r\n`, { bodyProgressMs: 0 });
    driven.clock.advance(29_999);
    expect(driven.code()).toBe(undefined);
    driven.clock.advance(1);
    expect(await driven.peer.readToEnd()).toMatch(/^HTTP\/1\.1 408 /);
  });
});

describe("L13: the time our own reader takes", () => {
  const slowly = async (readAheadBytes: number) => {
    const next = { gate: new Deferred<void>() };
    const served = await serve(
      async ({ body }) => {
        for await (const _ of body) await next.gate.promise;
        return { status: 200 };
      },
      { readAheadBytes },
    );
    return { ...served, next, code: () => codeOf(served.connection.closeReason) };
  };

  test("is not counted against the peer", async () => {
    const { peer, clock, next, code } = await slowly(4);
    await peer.send(head("POST /", "Content-Length: 12"));
    for (let i = 0; i < 3; i++) {
      await peer.send("four");
      await turns();
      clock.advance(i === 0 ? 29_000 : HOUR_MS);
      expect(code()).toBe(undefined);
    }
    next.gate.resolve();
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 200 /);
  });

  test("does not extend the peer's time", async () => {
    const { peer, clock, next, code } = await slowly(1);
    await peer.send(`${head("POST /", "Content-Length: 1000")}x`);
    for (let i = 0; i < 3; i++) {
      await peer.send("x");
      await turns();
      next.gate.resolve();
      next.gate = new Deferred();
      await turns();
      clock.advance(9_999);
    }
    expect(code()).toBe(undefined);
    clock.advance(20);
    expect(code()).toBe("BODY_TIMEOUT");
  });
});

describe("L13: a client with Expect: 100-continue waits for the service, and", () => {
  const EXPECTING = head("POST /", "Content-Length: 9", "Expect: 100-continue");

  test.each(["reads it", "sends a 100"])("has the full time once the service %s", async (how) => {
    const gate = new Deferred<void>();
    const { peer, clock, connection } = await serve(async (request) => {
      await gate.promise;
      if (how === "sends a 100") {
        request.sendInterim(100);
        await new Promise(() => {});
      }
      await request.body.bytes();
    });
    await peer.send(EXPECTING);
    await turns();
    clock.advance(HOUR_MS);
    expect(connection.closeReason).toBe(undefined);
    gate.resolve();
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 100 /);
    clock.advance(29_999);
    expect(connection.closeReason).toBe(undefined);
    clock.advance(1);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("is timed once it sends the body anyway", async () => {
    const { peer, clock } = await serve(() => new Promise(() => {}));
    await peer.send(`${EXPECTING}four`);
    await turns();
    clock.advance(30_000);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 408 /);
  });
});

test("L13: the body of the next request has its own deadline, however soon it follows", async () => {
  const { peer, clock, connection } = await serve(async ({ body }) => {
    await body.bytes();
    return { status: 204 };
  });
  const request = `${head("POST /", "Content-Length: 2")}x`;
  await peer.send(request);
  for (let i = 0; i < 4; i++) {
    await turns();
    clock.advance(29_000);
    await peer.send(`x${request}`);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 204 /);
  }
  expect(connection.closeReason).toBe(undefined);
});
