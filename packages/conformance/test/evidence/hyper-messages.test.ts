import { Deferred } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { Transcript } from "../../src/stories/transcript.ts";
import { turns } from "../../src/turns.ts";

// Edge cases that hyper handles differently, or not at all, with our results.

const OFFER = ["Connection: Upgrade", "Upgrade: x"] as const;
const ACCEPTED = answer("101 Switching Protocols", ...OFFER);

/** The first line of a server's transcript of these bytes. */
function requested(bytes: string): string {
  const transcript = new Transcript("server");
  transcript.receive(Buffer.from(bytes, "latin1"));
  return transcript.end()[0]!;
}

/** A client's transcript of these bytes, after a request. */
function responded(bytes: string, method = "GET", protocol?: string): string[] {
  const transcript = new Transcript("client");
  const target = method === "CONNECT" ? "a.test:443" : "/";
  const offer = protocol === undefined ? {} : { Connection: "Upgrade", Upgrade: protocol };
  const headers = { Host: "a.test", ...offer };
  transcript.connection.send({ type: "request", method, target, headers });
  transcript.connection.send({ type: "end-of-message" });
  transcript.receive(Buffer.from(bytes, "latin1"));
  return transcript.end();
}

const head10 = (line: string, ...fields: string[]) => [line, ...fields, "", ""].join("\r\n");
const chunked = (coding: string) => head("POST /", `Transfer-Encoding: ${coding}`);

describe("a request", () => {
  test.each<[string, string, string]>([
    [
      "X8: HTTP/1.0 CONNECT with Upgrade is a CONNECT",
      head10("CONNECT a.test:1 HTTP/1.0", "Connection: Upgrade", "Upgrade: x"),
      "request CONNECT a.test:1 HTTP/1.0 proposes=tunnel",
    ],
    ["X10: CONNECT with a path", head("CONNECT /x"), "error MALFORMED_TARGET status=400"],
    ["X10: GET with an authority", head("GET a.test:80"), "error MALFORMED_TARGET status=400"],
    ["X11: no Host", "GET / HTTP/1.1\r\n\r\n", "error BAD_HOST status=400"],
    ["X11: two Hosts", head("GET /", "host: a.test"), "error BAD_HOST status=400"],
    [
      "X12: an unknown expectation",
      head("POST /", "Expect: foo"),
      "error UNKNOWN_EXPECTATION status=417",
    ],
    ["X29: a bare LF", "GET / HTTP/1.1\nHost: a\r\n\r\n", "error MALFORMED_START_LINE status=400"],
    [
      "X34: a list of lengths",
      head("POST /", "Content-Length: 3, 3"),
      "error BAD_CONTENT_LENGTH status=400",
    ],
    ["X35: chunked twice", chunked("chunked, chunked"), "error BAD_TRANSFER_ENCODING status=400"],
  ])("%s", (_, bytes, line) => {
    expect(requested(bytes).replace(/ offset=.*/, "")).toBe(line);
  });

  test("X16: close wins over keep-alive, in any order of lines", () => {
    const transcript = new Transcript("server");
    transcript.receive(Buffer.from(head("GET /", "Connection: close", "Connection: keep-alive")));
    expect(transcript.connection.persists).toBe(false);
  });

  test("X28: a head as long as the limit passes, one byte more is a 431", async () => {
    const bytes = head("GET /", `X-Pad: ${"p".repeat(100)}`);
    for (const [maxHeadBytes, status] of [
      [bytes.length, 200],
      [bytes.length - 1, 431],
    ] as const) {
      const { peer } = await serve(() => ({ status: 200 }), { maxHeadBytes });
      await peer.send(bytes);
      expect(await peer.readHead()).toMatch(`HTTP/1.1 ${status} `);
    }
  });
});

describe("a response", () => {
  test.each<[string, string, string, string | undefined]>([
    ["X6: a 101 without a proposal", ACCEPTED, "error UNEXPECTED_SWITCH", undefined],
    ["X7: a 101 in HTTP/1.0", ACCEPTED.replace("HTTP/1.1", "HTTP/1.0"), "error BAD_SWITCH", "x"],
    [
      "X15: a coding beside a length",
      answer("200 OK", "Content-Length: 3", "Transfer-Encoding: chunked"),
      "error AMBIGUOUS_FRAMING status=400",
      undefined,
    ],
    [
      "X34: a list of lengths in a response",
      answer("200 OK", "Content-Length: 3, 3"),
      "error BAD_CONTENT_LENGTH status=400",
      undefined,
    ],
  ])("%s", (_, bytes, line, protocol) => {
    expect(responded(bytes, "GET", protocol)[0]!.replace(/ offset=.*/, "")).toBe(line);
  });

  test("X5: a 204 to CONNECT is a tunnel, its first bytes kept", () => {
    expect(responded(`${answer("204 No Content")}early`, "CONNECT")).toEqual([
      "response 204 No Content",
      "paused client=switched-protocol server=switched-protocol",
      'readBuf "early"',
    ]);
  });

  test("X20: interim responses are counted", async () => {
    const { peer, sender } = await dial();
    const response = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(answer("102 Processing").repeat(33));
    expect(await rejection(response)).toBe("TOO_MANY_INTERIM_RESPONSES");
  });

  test("X24: bytes after a response leave it complete, and end the connection with their offset", async () => {
    const { peer, sender, connection } = await dial();
    const response = sender.sendRequest(GET);
    await peer.readHead();
    const bytes = answer("200 OK", "Content-Length: 2");
    await peer.send(`${bytes}okmore`);
    expect(await (await response).body.text()).toBe("ok");
    expect(await connection.closed).toMatchObject({
      kind: "failed",
      error: { code: "UNEXPECTED_DATA", offset: bytes.length + 2 },
    });
  });

  test("X27: an upload that stalls after a complete response has a grace period", async () => {
    const { peer, sender, connection, clock } = await dial({ uploadGraceMs: 5 });
    async function* stalled() {
      yield "a";
      await new Promise(() => {});
    }
    const response = sender.sendRequest({ ...POST, body: stalled() });
    await peer.readHead();
    await peer.send(answer("200 OK", "Content-Length: 0"));
    expect((await response).status).toBe(200);
    clock.advance(5);
    expect(await connection.closed).toMatchObject({ error: { code: "UPLOAD_TIMEOUT" } });
  });
});

describe("a server's response", () => {
  test("X14: a bad chunk is a 400 that closes, whatever the service says later", async () => {
    const gate = new Deferred<void>();
    const { peer } = await serve(async () => {
      await gate.promise;
      return { status: 200 };
    });
    await peer.send(`${chunked("chunked")}1x\r\n`);
    const refusal = await peer.readToEnd();
    gate.resolve();
    expect(refusal).toBe(answer("400 Bad Request", "Content-Length: 0", "Connection: close"));
  });

  test("X17: a client that leaves is detected after pipelined bytes, too", async () => {
    const reason = new Deferred<unknown>();
    const { peer } = await serve(async ({ signal }) => {
      signal.addEventListener("abort", () => reason.resolve(signal.reason));
      await reason.promise;
      return { status: 200 };
    });
    await peer.send(`${head("GET /")}G`);
    await peer.end();
    expect(await reason.promise).toMatchObject({ code: "PEER_ENDED" });
  });

  test("X18: an unknown length for HTTP/1.0 does not promise keep-alive", async () => {
    async function* body() {
      yield "abc";
    }
    const { peer } = await serve(() => ({ status: 200, body: body() }));
    await peer.send(head10("GET / HTTP/1.0", "Connection: keep-alive"));
    expect(await peer.readToEnd()).toBe(`${answer("200 OK", "Connection: close")}abc`);
  });

  test("X21: a body shorter than its length is a reset after the bytes handed over", async () => {
    const gate = new Deferred<void>();
    async function* body() {
      yield "abc";
      await gate.promise;
    }
    const headers = { "Content-Length": "5" };
    const { peer, reports } = await serve(() => ({ status: 200, headers, body: body() }));
    await peer.send(head("GET /"));
    expect(await peer.readUntil("abc")).toBe(`${answer("200 OK", "Content-Length: 5")}abc`);
    gate.resolve();
    await peer.failed();
    expect(peer.ended).toBe(false);
    expect(reports).toContain("response: BODY_TOO_SHORT");
  });

  test("X22: a service that throws is a 500", async () => {
    const { peer, reports } = await serve(() => {
      throw new Error("no");
    });
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(reports).toEqual(["service: no"]);
  });

  test("X23: a head that arrives too slowly is a 408 that closes", async () => {
    const { peer, clock } = await serve(() => ({ status: 200 }), { headMs: 5 });
    await peer.send("GET ");
    await turns();
    clock.advance(5);
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 408 .*Connection: close\r\n\r\n$/s);
  });
});
