import type { BodyInit } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

const utf8 = new TextEncoder();

async function* generated(...pieces: (string | Uint8Array)[]) {
  yield* pieces;
}

function streamed(...pieces: Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const piece of pieces) controller.enqueue(piece);
      controller.close();
    },
  });
}

const text = "a\u00e4\u20ac";
const octets = Buffer.from(text).toString("latin1");

const whole: [string, () => BodyInit][] = [
  ["a string, as UTF-8", () => text],
  ["a Uint8Array", () => utf8.encode(text)],
  ["a Buffer", () => Buffer.from(text)],
  ["a view of a larger buffer", () => utf8.encode(`--${text}--`).subarray(2, -2)],
  ["an ArrayBuffer", () => utf8.encode(text).slice().buffer],
];

const pieced: [string, () => BodyInit][] = [
  ["an array", () => ["a", utf8.encode("\u00e4"), "", "\u20ac"]],
  ["a generator", () => generated("a", "\u00e4", "", "\u20ac")],
  ["a ReadableStream", () => streamed(...["a", "\u00e4", "", "\u20ac"].map((c) => utf8.encode(c)))],
];

const chunks = "1\r\na\r\n2\r\n\xc3\xa4\r\n3\r\n\xe2\x82\xac\r\n0\r\n\r\n";

/** What our server sent in response to `request`, and whether it ended or failed. */
async function served(
  body: BodyInit | undefined,
  init: {
    status?: number;
    headers?: Record<string, string>;
    trailers?: Record<string, string>;
  } = {},
  request = head("GET /"),
) {
  const { peer, reports } = await serve(() => ({ status: 200, ...init, body }));
  await peer.send(request);
  await turns();
  const end = peer.failure !== undefined ? "failed" : peer.ended ? "ended" : "open";
  return { sent: peer.unread, end, reports };
}

describe("a whole body has its length:", () => {
  test.each(whole)("%s", async (_, make) => {
    const { sent, end } = await served(make());
    expect([sent, end]).toEqual([answer("200 OK", "Content-Length: 6") + octets, "open"]);
    const { peer, sender } = await dial();
    void sender.sendRequest({ ...POST, body: make() });
    expect(await peer.readUntil(octets)).toBe(head("POST /", "Content-Length: 6") + octets);
  });

  test.each([
    ["undefined", undefined],
    ["null", null],
    ["an empty string", ""],
    ["no bytes", new Uint8Array(0)],
    ["an empty ArrayBuffer", new ArrayBuffer(0)],
  ])("%s counts as no body", async (_, body) => {
    expect((await served(body)).sent).toBe(answer("200 OK", "Content-Length: 0"));
    const { peer, sender } = await dial();
    void sender.sendRequest({ ...GET, body });
    expect(await peer.readHead()).toBe(head("GET /"));
    // RFC 9110 §8.6: methods that anticipate content send Content-Length: 0.
    const post = await dial();
    void post.sender.sendRequest({ ...POST, body });
    expect(await post.peer.readHead()).toBe(head("POST /", "Content-Length: 0"));
  });
});

describe("a body in pieces is chunked:", () => {
  test.each(pieced)("%s", async (_, make) => {
    const { sent, end } = await served(make());
    expect([sent, end]).toEqual([answer("200 OK", "Transfer-Encoding: chunked") + chunks, "open"]);
    const { peer, sender } = await dial();
    void sender.sendRequest({ ...POST, body: make() });
    const request = await peer.readUntil("0\r\n\r\n");
    expect(request).toBe(head("POST /", "Transfer-Encoding: chunked") + chunks);
  });

  test("a body with the caller's Content-Length is not chunked", async () => {
    const headers = { "Content-Length": "6" };
    const { sent } = await served(generated("a", "\u00e4", "\u20ac"), { headers });
    expect(sent).toBe(answer("200 OK", "Content-Length: 6") + octets);
  });

  test("any other body is refused before the first byte", async () => {
    for (const body of [7, true, {}, () => "x", Symbol("x")]) {
      const { sent, reports } = await served(body as never);
      expect(sent).toMatch(/^HTTP\/1\.1 500 /);
      expect(reports).toEqual(["service: INVALID_BODY"]);
      const { sender } = await dial();
      expect(await rejection(sender.sendRequest({ ...POST, body: body as never }))).toBe(
        "INVALID_BODY",
      );
    }
  });
});

test("a chunked body without a byte waits for its 100, too", async () => {
  const { peer, sender } = await dial();
  const headers = { "Host": "a.test", "Expect": "100-continue", "Transfer-Encoding": "chunked" };
  void sender.sendRequest({ ...POST, headers });
  await peer.readHead();
  await turns();
  expect(peer.unread).toBe("");
  await peer.send("HTTP/1.1 100 Continue\r\n\r\n");
  expect(await peer.readUntil("\r\n\r\n")).toBe("0\r\n\r\n");
});

describe("trailers", () => {
  const trailers = { "X-Sum": "1", "x-sum": "2" };
  const trailed = "1\r\na\r\n0\r\nX-Sum: 1\r\nx-sum: 2\r\n\r\n";

  test.each([
    ["known", () => trailers],
    ["promised", () => Promise.resolve(trailers)],
    ["made at the end", () => () => trailers],
    ["made at the end, with a promise", () => async () => trailers],
  ])("%s, follow the body, both ways", async (_, make) => {
    for (const body of ["a", ["a"]]) {
      const { peer } = await serve(() => ({ status: 200, body, trailers: make() }));
      await peer.send(head("GET /"));
      expect(await peer.readHead()).toBe(answer("200 OK", "Transfer-Encoding: chunked"));
      expect(await peer.readUntil("\r\n\r\n")).toBe(trailed);
      const client = await dial();
      void client.sender.sendRequest({ ...POST, body, trailers: make() });
      expect(await client.peer.readHead()).toBe(head("POST /", "Transfer-Encoding: chunked"));
      expect(await client.peer.readUntil("\r\n\r\n")).toBe(trailed);
    }
  });

  test("after an empty body", async () => {
    const { sent } = await served("", { trailers: { "X-Sum": "0" } });
    expect(sent).toBe(`${answer("200 OK", "Transfer-Encoding: chunked")}0\r\nX-Sum: 0\r\n\r\n`);
  });

  test("that are invalid are refused before the first byte", async () => {
    for (const bad of [{ Host: "b" }, { "X": "a\r\nb: c" }, { "Content-Length": "1" }]) {
      const { sent, reports } = await served("a", { trailers: bad });
      expect(sent).toMatch(/^HTTP\/1\.1 500 /);
      expect(reports).toHaveLength(1);
      const { peer, sender } = await dial();
      const pending = sender.sendRequest({ ...POST, body: "a", trailers: bad });
      expect(await rejection(pending)).toMatch(/^INVALID_(TRAILER|HEADER)$/);
      await turns();
      expect([peer.unread, sender.isReady]).toEqual(["", true]);
    }
  });

  test("that settle after the connection has ended are not sent, both ways", async () => {
    let settle = (_: typeof trailers): void => {};
    const late = () => new Promise<typeof trailers>((resolve) => (settle = resolve));
    const { connection, peer, reports } = await serve(() => ({
      status: 200,
      body: ["a"],
      trailers: late,
    }));
    await peer.send(head("GET /"));
    await peer.readUntil("1\r\na\r\n");
    await turns();
    connection.abort();
    settle(trailers);
    await turns();
    expect([peer.unread, reports]).toEqual(["", ["connection: ABORTED"]]);

    const client = await dial();
    const pending = client.sender.sendRequest({ ...POST, body: ["a"], trailers: late });
    await client.peer.readUntil("1\r\na\r\n");
    await turns();
    client.connection.abort();
    settle(trailers);
    expect(await rejection(pending)).toBe("ABORTED");
    await turns();
    expect(client.peer.unread).toBe("");
  });

  test("that turn out invalid late fail visibly", async () => {
    const { peer, reports } = await serve(() => ({
      status: 200,
      body: ["a"],
      trailers: async () => {
        await turns();
        return { Host: "b" };
      },
    }));
    await peer.send(head("GET /"));
    await peer.readUntil("1\r\na\r\n");
    await peer.failed();
    expect([peer.unread, reports[0]]).toEqual(["", "response: INVALID_TRAILER"]);
  });
});

describe("in response to HEAD", () => {
  const asking = head("HEAD /");
  test("a body is not sent, and its length becomes Content-Length", async () => {
    expect((await served("hello", {}, asking)).sent).toBe(answer("200 OK", "Content-Length: 5"));
  });

  test("an unknown length is declared as for GET", async () => {
    const { sent } = await served(generated("a"), {}, asking);
    expect(sent).toBe(answer("200 OK", "Transfer-Encoding: chunked"));
  });

  test("no body declares no length", async () => {
    expect((await served(undefined, {}, asking)).sent).toBe(answer("200 OK"));
  });

  test("the producer of the body is notified", async () => {
    let canceled = false;
    const body = new ReadableStream<Uint8Array>({
      cancel: () => {
        canceled = true;
      },
    });
    const { end } = await served(body, {}, asking);
    expect([canceled, end]).toEqual([true, "open"]);
  });
});

describe("no body goes with", () => {
  test.each([204, 205, 304])("%d", async (status) => {
    for (const body of ["x", ["x"], generated("x")]) {
      const { sent, reports } = await served(body, { status });
      expect(sent).toMatch(/^HTTP\/1\.1 500 /);
      expect(reports).toEqual(["service: BODY_NOT_ALLOWED"]);
    }
    expect((await served(undefined, { status })).sent).toMatch(
      new RegExp(`^HTTP/1\\.1 ${status} `),
    );
  });

  test("a Content-Length on 204 is refused, on 304 it is sent", async () => {
    const headers = { "Content-Length": "5" };
    const refused = await served(undefined, { status: 204, headers });
    expect(refused.reports).toEqual(["service: INVALID_FRAMING"]);
    const { sent } = await served(undefined, { status: 304, headers });
    expect(sent).toBe(answer("304 Not Modified", "Content-Length: 5"));
  });
});

describe("L10 strict out: a body that does not fit its Content-Length", () => {
  test("is refused before the first byte if it is whole", async () => {
    for (const length of ["4", "6"]) {
      const headers = { "Content-Length": length };
      const { sent, reports } = await served("hello", { headers });
      expect(sent).toMatch(/^HTTP\/1\.1 500 /);
      expect(reports).toEqual(["service: INVALID_FRAMING"]);
      const { sender } = await dial();
      const pending = sender.sendRequest({
        ...POST,
        headers: { ...POST.headers, ...headers },
        body: "hello",
      });
      expect(await rejection(pending)).toBe("INVALID_FRAMING");
    }
  });

  const misfits = [
    ["longer", ["hello", "!"], "BODY_TOO_LONG"],
    ["shorter", ["he"], "BODY_TOO_SHORT"],
  ] as const;
  test.each(misfits)("fails visibly if it comes in pieces: %s", async (_, pieces, code) => {
    async function* slow() {
      for (const piece of pieces) {
        yield piece;
        await turns();
      }
    }
    const headers = { "Content-Length": "5" };
    const { peer, reports, connection } = await serve(() => ({
      status: 200,
      headers,
      body: slow(),
    }));
    await peer.send(head("GET /"));
    await peer.readHead();
    await peer.read(pieces[0].length);
    await peer.failed();
    expect([peer.unread, peer.ended, reports[0]]).toEqual(["", false, `response: ${code}`]);
    expect(connection.closeReason).toMatchObject({ kind: "failed", error: { code } });

    const client = await dial();
    const pending = client.sender.sendRequest({
      ...POST,
      headers: { Host: "a.test", ...headers },
      body: slow(),
    });
    pending.catch(() => {});
    await client.peer.readHead();
    await client.peer.read(pieces[0].length);
    await client.peer.failed();
    await expect(pending).rejects.toMatchObject({ code, sent: "part" });
    expect(client.peer.unread).toBe("");
  });
});

const CHUNKED = "Transfer-Encoding: chunked";

test("the head of a streamed response is sent together with a piece available in the same turn", async () => {
  for (const isLate of [false, true]) {
    const answer = { status: 200, body: ["piece"] };
    const { peer } = await serve(() => (isLate ? Promise.resolve(answer) : answer));
    await peer.send(head("GET /"));
    await peer.readUntil("0\r\n\r\n");
    expect(peer.chunks).toHaveLength(1);
  }
});

test("and does not wait for a piece that is not", async () => {
  const { peer } = await serve(() => ({
    status: 200,
    body: (async function* () {
      await new Promise(() => {});
      yield "never";
    })(),
  }));
  await peer.send(head("GET /"));
  expect(await peer.readHead()).toBe(answer("200 OK", CHUNKED));
});
