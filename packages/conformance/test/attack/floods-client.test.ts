import { type ClientOptions, type ClientResponse, handshake as connectTo } from "@upgrade/client";
import { resolveLimits } from "@upgrade/core";
import { ManualClock } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { answer, GET, POST } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { Flood, type FloodOptions } from "../../src/streams/flood.ts";
import { turns } from "../../src/turns.ts";

const CHUNKED = answer("200 OK", "Transfer-Encoding: chunked");
const LONG = answer("200 OK", "Content-Length: 1000000000");
const DEFAULTS = resolveLimits();
const HEAD = DEFAULTS.maxHeadBytes;
const EXTENSIONS = DEFAULTS.maxChunkExtensionBytes;
const AHEAD = DEFAULTS.readAheadBytes;

/** A client with a pending request, and a server that never stops sending. */
async function flooded(
  how: FloodOptions,
  use: (response: ClientResponse) => Promise<unknown>,
  options: ClientOptions = {},
) {
  const flood = new Flood(how);
  const clock = new ManualClock();
  const { connection, sender } = await connectTo(flood, { clock, ...options });
  const used = sender.sendRequest(GET).then(use);
  used.catch(() => {});
  flood.open();
  for (let before = -1; before < flood.delivered && !flood.isAborted; ) {
    before = flood.delivered;
    await turns();
  }
  return { flood, clock, connection, sender, used };
}

const readIt = async (response: ClientResponse): Promise<void> => {
  for await (const _ of response.body);
};

interface Refused extends FloodOptions {
  readonly name: string;
  readonly code: string;
  /** How much is read before it is refused. */
  readonly within: number;
  readonly options?: ClientOptions;
}

const REFUSED: readonly Refused[] = [
  { name: "empty lines", endless: "\r\n", code: "MALFORMED_START_LINE", within: 1 },
  {
    name: "bytes that are not a response",
    endless: "\x01",
    code: "MALFORMED_START_LINE",
    within: 1,
  },
  { name: "a reason", first: "HTTP/1.1 200 ", endless: "a", code: "HEAD_TOO_LARGE", within: HEAD },
  {
    name: "field lines",
    first: "HTTP/1.1 200 OK\r\n",
    endless: "a: b\r\n",
    code: "HEAD_TOO_LARGE",
    within: HEAD,
  },
  {
    name: "a field value",
    first: "HTTP/1.1 200 OK\r\na: ",
    endless: "b",
    code: "HEAD_TOO_LARGE",
    within: HEAD,
  },
  {
    name: "spaces before a field value",
    first: "HTTP/1.1 200 OK\r\na:",
    endless: " ",
    code: "HEAD_TOO_LARGE",
    within: HEAD,
  },
  {
    name: "interim responses",
    endless: answer("102 Processing"),
    code: "TOO_MANY_INTERIM_RESPONSES",
    within: 33 * 27,
  },
  {
    name: "leading zeros of a chunk size",
    first: CHUNKED,
    endless: "0",
    code: "CHUNK_EXTENSIONS_TOO_LARGE",
    within: EXTENSIONS,
  },
  {
    name: "a chunk extension",
    first: `${CHUNKED}1;`,
    endless: "a",
    code: "CHUNK_EXTENSIONS_TOO_LARGE",
    within: EXTENSIONS,
  },
  {
    name: "small chunks with small extensions",
    first: CHUNKED,
    endless: "1;a\r\nx\r\n",
    code: "CHUNK_EXTENSIONS_TOO_LARGE",
    within: EXTENSIONS * 4,
  },
  {
    name: "trailers",
    first: `${CHUNKED}0\r\n`,
    endless: "a: b\r\n",
    code: "TRAILERS_TOO_LARGE",
    within: DEFAULTS.maxTrailerBytes,
  },
  {
    name: "a body over maxBodyBytes",
    first: CHUNKED,
    endless: "1\r\nx\r\n",
    code: "BODY_TOO_LARGE",
    within: 60_000,
    options: { maxBodyBytes: 9_999 },
  },
  {
    name: "a close-delimited body over maxBodyBytes",
    first: answer("200 OK"),
    endless: "x",
    code: "BODY_TOO_LARGE",
    within: 9_999,
    options: { maxBodyBytes: 9_999 },
  },
];

describe("L12 bounded: a server that never stops sending", () => {
  test.each(REFUSED)("$name: $code, and a reset", async (row) => {
    const { first = "", code, within, options = {} } = row;
    const { flood, connection, used, clock } = await flooded(row, readIt, options);
    expect(await rejection(used)).toBe(code);
    expect(flood.delivered).toBeLessThanOrEqual(first.length + within + 2 * flood.piece);
    expect(flood.isAborted).toBe(true);
    expect(await connection.closed).toMatchObject({ kind: "failed", error: { code } });
    expect(clock.pending).toBe(0);
  });

  test("bytes() reads maxBytes of a body, and abandons the rest", async () => {
    const { flood, used, connection } = await flooded({ first: LONG, endless: "x" }, ({ body }) =>
      body.bytes({ maxBytes: 100_000 }),
    );
    expect(await rejection(used)).toBe("BODY_TOO_LARGE");
    const drained = DEFAULTS.maxDrainBytes;
    expect(flood.delivered).toBeLessThanOrEqual(100_000 + drained + AHEAD + 3 * flood.piece);
    expect(flood.isAborted).toBe(true);
    expect(await connection.closed).toMatchObject({ error: { code: "DRAIN_TOO_LARGE" } });
  });

  test("a canceled body is read for another maxDrainBytes", async () => {
    const { flood, used } = await flooded({ first: LONG, endless: "x" }, ({ body }) =>
      body.cancel(),
    );
    expect(await used).toBe("closed");
    const most = LONG.length + DEFAULTS.maxDrainBytes + 2 * flood.piece;
    expect(flood.delivered).toBeLessThanOrEqual(most);
    expect(flood.isAborted).toBe(true);
  });

  test("an unread body waits, within readAheadBytes, until close() abandons it at once", async () => {
    const { flood, connection, clock } = await flooded(
      { first: CHUNKED, endless: "1\r\nx\r\n" },
      async () => {},
    );
    expect(flood.delivered).toBeLessThanOrEqual(CHUNKED.length + 6 * AHEAD + flood.piece);
    const most = flood.delivered + DEFAULTS.lingerBytes + 2 * flood.piece;
    expect(await connection.close()).toMatchObject({ kind: "closed" });
    expect(flood.delivered).toBeLessThanOrEqual(most);
    expect([flood.isAborted, clock.now(), clock.pending]).toEqual([true, 0, 0]);
  });

  test("unsolicited bytes end it at the first of them", async () => {
    const flood = new Flood({ endless: answer("200 OK", "Content-Length: 0") });
    const { connection } = await connectTo(flood, { clock: new ManualClock() });
    flood.open();
    expect(await connection.closed).toMatchObject({ error: { code: "UNEXPECTED_DATA" } });
    expect(flood.delivered).toBe(flood.piece);
  });

  test("bytes after the last response are discarded up to lingerBytes", async () => {
    const first = answer("200 OK", "Content-Length: 0", "Connection: close");
    const { flood, connection } = await flooded({ first, endless: "x" }, readIt);
    const most = first.length + DEFAULTS.lingerBytes + 2 * flood.piece;
    expect(flood.delivered).toBeLessThanOrEqual(most);
    expect(flood.isAborted).toBe(true);
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });
});

describe("L12 bounded: a server that reads nothing", () => {
  const neverReading = async () => {
    const flood = new Flood({ endless: "x", reads: false });
    const clock = new ManualClock();
    const { sender, connection } = await connectTo(flood, { clock });
    let made = 0;
    function* megabyte() {
      for (let i = 0; i < 1_000; i++) {
        made += 1_000;
        yield "x".repeat(1_000);
      }
    }
    const pending = sender.sendRequest({ ...POST, body: megabyte() });
    pending.catch(() => {});
    await turns();
    return { flood, clock, connection, pending, made: () => made };
  };

  test("is sent writeHighWaterBytes of a body", async () => {
    const { flood, made } = await neverReading();
    expect(made()).toBeGreaterThan(0);
    expect(made()).toBeLessThanOrEqual(DEFAULTS.writeHighWaterBytes + 1_000);
    expect(flood.written).toBeLessThanOrEqual(DEFAULTS.writeHighWaterBytes + 2_000);
  });

  test("is aborted when it has read nothing within writeProgressMs", async () => {
    const { flood, clock, connection, pending } = await neverReading();
    clock.advance(DEFAULTS.writeProgressMs);
    expect(await rejection(pending)).toBe("WRITE_TIMEOUT");
    expect(await connection.closed).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
    expect(flood.isAborted).toBe(true);
    expect(clock.pending).toBe(0);
  });
});
