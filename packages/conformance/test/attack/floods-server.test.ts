import { resolveLimits } from "@upgrade/core";
import { type ByteStream, ManualClock } from "@upgrade/core/io";
import { type ServerOptions, type Service, handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import { Flood, type FloodOptions } from "../../src/streams/flood.ts";
import { turns } from "../../src/turns.ts";

const NEVER = (): Promise<never> => new Promise(() => {});
const CHUNKED = head("POST /", "Transfer-Encoding: chunked");
const LONG = head("POST /", "Content-Length: 1000000000");
const PROPOSAL = head("GET /", "Connection: Upgrade", "Upgrade: chat");
const DEFAULTS = resolveLimits();
const LINGER = DEFAULTS.lingerBytes;

const reading: Service<ByteStream> = async (request) => {
  for await (const _ of request.body);
  return { status: 200 };
};

/** A server, and a client that never stops sending, until it is given up or no longer read. */
async function flooded(
  how: FloodOptions,
  service: Service<ByteStream>,
  options: ServerOptions<ByteStream> = {},
) {
  const flood = new Flood(how);
  const clock = new ManualClock();
  const reports: string[] = [];
  const { connection } = await serveOn(flood, service, {
    clock,
    date: false,
    onError: (error, { phase }) => reports.push(`${phase}: ${(error as { code: string }).code}`),
    ...options,
  });
  flood.open();
  for (let before = -1; before < flood.delivered && !flood.isAborted; ) {
    before = flood.delivered;
    await turns();
  }
  return { flood, clock, connection, reports };
}

interface Refused extends FloodOptions {
  readonly name: string;
  readonly code: string;
  readonly status: number;
  /** How much is read before it is refused. */
  readonly within: number;
  readonly options?: ServerOptions<ByteStream>;
}

const HEAD = DEFAULTS.maxHeadBytes;
const EXTENSIONS = DEFAULTS.maxChunkExtensionBytes;

const REFUSED: readonly Refused[] = [
  { name: "empty lines", endless: "\r\n", code: "HEAD_TOO_LARGE", status: 431, within: HEAD },
  {
    name: "bytes that are not a start line",
    endless: "\0",
    code: "MALFORMED_START_LINE",
    status: 400,
    within: 1,
  },
  { name: "a method", endless: "A", code: "UNKNOWN_METHOD", status: 501, within: 32 },
  {
    name: "spaces after the method",
    first: "GET",
    endless: " ",
    code: "MALFORMED_START_LINE",
    status: 400,
    within: HEAD,
  },
  {
    name: "a target",
    first: "GET /",
    endless: "a",
    code: "TARGET_TOO_LONG",
    status: 414,
    within: 8_200,
  },
  {
    name: "spaces after the target",
    first: "GET /",
    endless: " ",
    code: "MALFORMED_START_LINE",
    status: 400,
    within: HEAD,
  },
  {
    name: "field lines",
    first: "GET / HTTP/1.1\r\n",
    endless: "a: b\r\n",
    code: "HEAD_TOO_LARGE",
    status: 431,
    within: HEAD,
  },
  {
    name: "a field name",
    first: "GET / HTTP/1.1\r\n",
    endless: "a",
    code: "HEAD_TOO_LARGE",
    status: 431,
    within: HEAD,
  },
  {
    name: "a field value",
    first: "GET / HTTP/1.1\r\nA: ",
    endless: "b",
    code: "HEAD_TOO_LARGE",
    status: 431,
    within: HEAD,
  },
  {
    name: "spaces before a field value",
    first: "GET / HTTP/1.1\r\nA:",
    endless: " ",
    code: "HEAD_TOO_LARGE",
    status: 431,
    within: HEAD,
  },
  {
    name: "leading zeros of a chunk size",
    first: CHUNKED,
    endless: "0",
    code: "CHUNK_EXTENSIONS_TOO_LARGE",
    status: 413,
    within: EXTENSIONS,
  },
  {
    name: "a chunk extension",
    first: `${CHUNKED}1;`,
    endless: "a",
    code: "CHUNK_EXTENSIONS_TOO_LARGE",
    status: 413,
    within: EXTENSIONS,
  },
  {
    name: "spaces in a chunk extension",
    first: `${CHUNKED}1`,
    endless: " ",
    code: "CHUNK_EXTENSIONS_TOO_LARGE",
    status: 413,
    within: EXTENSIONS,
  },
  {
    name: "small chunks with small extensions",
    first: CHUNKED,
    endless: "1;a\r\nx\r\n",
    code: "CHUNK_EXTENSIONS_TOO_LARGE",
    status: 413,
    within: EXTENSIONS * 4,
  },
  {
    name: "a quoted extension",
    first: `${CHUNKED}1;a="`,
    endless: '\\"',
    code: "CHUNK_EXTENSIONS_TOO_LARGE",
    status: 413,
    within: EXTENSIONS,
  },
  {
    name: "digits of a chunk size",
    first: CHUNKED,
    endless: "f",
    code: "MALFORMED_CHUNK",
    status: 400,
    within: 14,
  },
  {
    name: "trailers",
    first: `${CHUNKED}0\r\n`,
    endless: "a: b\r\n",
    code: "TRAILERS_TOO_LARGE",
    status: 431,
    within: DEFAULTS.maxTrailerBytes,
  },
  {
    name: "spaces in a trailer",
    first: `${CHUNKED}0\r\na:`,
    endless: " ",
    code: "TRAILERS_TOO_LARGE",
    status: 431,
    within: DEFAULTS.maxTrailerBytes,
  },
  {
    name: "chunks of a body that is read",
    first: CHUNKED,
    endless: "1\r\nx\r\n",
    code: "BODY_TOO_LARGE",
    status: 413,
    within: 60_000,
    options: { maxBodyBytes: 9_999 },
  },
];

describe("L12 bounded: a client that never stops sending", () => {
  test.each(REFUSED)(
    "$name: $code, $status, and no more than lingerBytes after it",
    async (row) => {
      const { first = "", code, status, within, options = {} } = row;
      const { flood, connection, reports, clock } = await flooded(row, reading, options);
      expect(reports[0]).toContain(code);
      expect(flood.received).toMatch(
        new RegExp(`^HTTP/1\\.1 ${status} .*\\r\\nConnection: close\\r\\n`, "s"),
      );
      expect(flood.received.match(/HTTP\/1\.1/g)).toHaveLength(1);
      expect(flood.delivered).toBeLessThanOrEqual(first.length + within + LINGER + 2 * flood.piece);
      expect(flood.isAborted).toBe(true);
      expect(await connection.closed).toMatchObject({ kind: "failed", error: { code } });
      expect(clock.pending).toBe(0);
    },
  );

  test("after the response that ends the connection: lingerBytes, then a reset", async () => {
    const first = head("GET /", "Connection: close");
    const { flood, connection } = await flooded({ first, endless: "x" }, () => ({ status: 200 }));
    expect(flood.received).toMatch(/^HTTP\/1\.1 200 /);
    expect(flood.delivered - first.length).toBeLessThanOrEqual(LINGER + flood.piece);
    expect(flood.isAborted).toBe(true);
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("an answered, unread body: maxDrainBytes, then as after any last response", async () => {
    const { flood, connection } = await flooded({ first: CHUNKED, endless: "1\r\nx\r\n" }, () => ({
      status: 200,
    }));
    expect(flood.received).toMatch(/^HTTP\/1\.1 200 /);
    // Five of six octets are not data.
    const drained = 6 * DEFAULTS.maxDrainBytes;
    expect(flood.delivered).toBeLessThanOrEqual(
      CHUNKED.length + drained + LINGER + 2 * flood.piece,
    );
    expect(flood.isAborted).toBe(true);
    expect((await connection.closed).kind).toBe("not-persistent");
  });

  test("a body before a switch: 413 instead of 101", async () => {
    const first = head(
      "POST /",
      "Connection: Upgrade",
      "Upgrade: chat",
      "Content-Length: 1000000000",
    );
    const { flood, reports } = await flooded({ first, endless: "x" }, (request) => {
      void request.switchTo("chat");
    });
    expect(flood.received).toMatch(/^HTTP\/1\.1 413 /);
    expect(reports).toEqual(["switch: DRAIN_TOO_LARGE"]);
    expect(flood.delivered).toBeLessThanOrEqual(
      first.length + DEFAULTS.maxDrainBytes + LINGER + 2 * flood.piece,
    );
    expect(flood.isAborted).toBe(true);
  });
});

interface Waiting extends FloodOptions {
  readonly name: string;
  /** How much is read while the service waits. */
  readonly within: number;
}

const AHEAD = DEFAULTS.readAheadBytes;

const WAITING: readonly Waiting[] = [
  { name: "a body", first: LONG, endless: "x", within: AHEAD },
  {
    name: "a chunked body of single octets",
    first: CHUNKED,
    endless: "1\r\nx\r\n",
    within: 6 * AHEAD,
  },
  { name: "later requests", first: head("GET /"), endless: head("GET /"), within: AHEAD },
  { name: "bytes that are not a request", first: head("GET /"), endless: "\0", within: AHEAD },
  { name: "bytes after a proposal", first: PROPOSAL, endless: "x", within: 0 },
  {
    name: "bytes after a CONNECT",
    first: "CONNECT a.test:80 HTTP/1.1\r\nHost: a.test:80\r\n\r\n",
    endless: "x",
    within: 0,
  },
];

describe("L12 bounded: while a service waits", () => {
  test.each(WAITING)(
    "endless $name: nothing is read beyond readAheadBytes, and close() ends it",
    async (row) => {
      const { flood, connection, clock } = await flooded(row, NEVER);
      expect(flood.delivered).toBeLessThanOrEqual(row.first!.length + row.within + flood.piece);
      expect(flood.received).toBe("");
      const closed = connection.close();
      clock.advance(DEFAULTS.closeMs);
      expect(await closed).toMatchObject({ kind: "failed", error: { code: "CLOSE_TIMEOUT" } });
      expect(flood.isAborted).toBe(true);
      expect(clock.pending).toBe(0);
    },
  );

  test("an unread body is bounded, and a switch after it must be claimed in time", async () => {
    const { flood, connection, clock } = await flooded({ first: PROPOSAL, endless: "x" }, () => ({
      status: 101,
      headers: [
        ["Connection", "Upgrade"],
        ["Upgrade", "chat"],
      ],
    }));
    expect(flood.delivered).toBeLessThanOrEqual(PROPOSAL.length + flood.piece);
    clock.advance(DEFAULTS.claimMs);
    expect(flood.isAborted).toBe(true);
    expect(connection.closeReason).toMatchObject({ error: { code: "SWITCH_UNCLAIMED" } });
    expect(clock.pending).toBe(0);
  });
});
