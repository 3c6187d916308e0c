import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { rejection } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";
import { accepted, answered, interimSent, requested, switched } from "../../src/ways-to-send.ts";

// Messages whose end two readers could find at two places, sent through the public API: refused before
// the first byte, and the connection persists.

const HOST = ["Host", "a.test"] as const;
const CL = (value: unknown) => ["Content-Length", value] as const;
const TE = (value: string) => ["Transfer-Encoding", value] as const;

const UPGRADE = [
  ["Connection", "Upgrade"],
  ["Upgrade", "chat"],
] as const;

type Line = readonly [string, unknown];

async function* pieces() {
  yield "hello";
}

/** Lines that misframe a body of five octets, in a request or a response. */
const MISFRAMED: [string, ...Line[]][] = [
  ["two lengths that agree", CL(5), CL(5)],
  ["two lengths that differ", CL(5), CL(6)],
  ["two lengths in different spellings", CL(5), ["content-LENGTH", "5"]],
  ["a list of lengths", CL("5, 5")],
  ["a list with an empty member", CL("5,")],
  ["a sign", CL("+5")],
  ["a negative length", CL("-5")],
  ["a negative number", CL(-1)],
  ["hexadecimal", CL("0x5")],
  ["an exponent", CL("5e0")],
  ["an underscore", CL("0_5")],
  ["a fraction", CL(5.5)],
  ["no number", CL(NaN)],
  ["an infinite number", CL(Infinity)],
  ["a number that JavaScript writes with an exponent", CL(1e21)],
  ["one more than the greatest safe integer", CL("9007199254740992")],
  ["2^64 + 5", CL("18446744073709551621")],
  ["two numbers", CL("5 5")],
  ["a parameter", CL("5;q=1")],
  ["an empty length", CL("")],
  ["a length one octet too short", CL(4)],
  ["a length one octet too long", CL(6)],
  ["a length before chunked", CL(5), TE("chunked")],
  ["a length after chunked", TE("chunked"), CL(5)],
  ["a length beside an empty coding", TE(""), CL(5)],
  ["an empty coding", TE("")],
  ["a coding that was not applied", TE("gzip")],
  ["a coding that was not applied, and chunked", TE("gzip, chunked")],
  ["a coding that was not applied, and chunked, in two lines", TE("gzip"), TE("chunked")],
  ["chunked before another coding", TE("chunked, gzip")],
  ["chunked twice", TE("chunked, chunked")],
  ["chunked in two lines", TE("chunked"), TE("chunked")],
  ["chunked and an empty member", TE("chunked,")],
  ["chunked with a parameter", TE("chunked;a=b")],
  ["a name that ends in chunked", TE("xchunked")],
  ["a name that begins with chunked", TE("chunkedx")],
  ["identity", TE("identity")],
];

const refused = (code: string) => ({ code, leaked: "" });
const FRAMING = refused("INVALID_FRAMING");

describe("L10, Z02: no body is framed twice, or incorrectly:", () => {
  test.each(MISFRAMED)("a request with %s", async (_, ...lines) => {
    const headers = [HOST, ...lines];
    expect(await requested({ method: "POST", headers, body: "hello" })).toEqual(FRAMING);
  });

  test.each(MISFRAMED)("a response with %s", async (_, ...lines) => {
    expect(await answered({ status: 200, headers: lines, body: "hello" })).toEqual(FRAMING);
  });

  test.each(MISFRAMED)("a 204, a 205, a 103 and a 101 with %s", async (_, ...lines) => {
    for (const status of [204, 205]) {
      expect(await answered({ status, headers: lines })).toEqual(FRAMING);
    }
    expect(await interimSent(103, lines)).toEqual(FRAMING);
    expect(await accepted({ headers: [...UPGRADE, ...lines] })).toEqual(FRAMING);
    expect(await switched("chat", { headers: lines })).toEqual(FRAMING);
  });

  // The length of a body in pieces is not known yet: a declared one is trusted, or refused.
  const BELIEVED = ["a length one octet too short", "a length one octet too long"];
  const ALONE = MISFRAMED.filter(([what]) => !BELIEVED.includes(what));
  test.each(ALONE)("a body in pieces with %s", async (_, ...lines) => {
    const headers = [HOST, ...lines];
    expect(await requested({ method: "POST", headers, body: pieces() })).toEqual(FRAMING);
    expect(await answered({ status: 200, headers: lines, body: pieces() })).toEqual(FRAMING);
  });
});

describe("L10: a request that contradicts itself is not sent:", () => {
  const CONNECT = { method: "CONNECT", target: "a.test:443" };
  test.each<[string, object, string]>([
    ["no Host", { headers: [] }, "INVALID_HOST"],
    ["two Hosts", { headers: [HOST, ["host", "b.test"]] }, "INVALID_HOST"],
    ["two Hosts that agree", { headers: [HOST, HOST] }, "INVALID_HOST"],
    ["a list of Hosts", { headers: [["Host", "a.test, b.test"]] }, "INVALID_HOST"],
    ["a Host with a path", { headers: [["Host", "a.test/"]] }, "INVALID_HOST"],
    ["a Host with a user", { headers: [["Host", "u@a.test"]] }, "INVALID_HOST"],
    ["a Host with a space", { headers: [["Host", "a test"]] }, "INVALID_HOST"],
    ["two Hosts in HTTP/1.0", { version: "1.0", headers: [HOST, HOST] }, "INVALID_HOST"],
    ["chunked in HTTP/1.0", { version: "1.0", headers: [TE("chunked")] }, "INVALID_FRAMING"],
    ["pieces in HTTP/1.0", { version: "1.0", method: "PUT", body: pieces() }, "INVALID_FRAMING"],
    ["CONNECT with a length", { ...CONNECT, headers: [HOST, CL(0)] }, "INVALID_FRAMING"],
    ["CONNECT with a coding", { ...CONNECT, headers: [HOST, TE("chunked")] }, "INVALID_FRAMING"],
    ["CONNECT with a body", { ...CONNECT, body: "hello" }, "BODY_NOT_ALLOWED"],
    ["CONNECT with pieces", { ...CONNECT, body: pieces() }, "BODY_NOT_ALLOWED"],
    ["CONNECT with trailers", { ...CONNECT, trailers: { X: "1" } }, "BODY_NOT_ALLOWED"],
    ["TRACE with a body", { method: "TRACE", body: "hello" }, "BODY_NOT_ALLOWED"],
    ["TRACE with pieces", { method: "TRACE", body: pieces() }, "BODY_NOT_ALLOWED"],
    ["a length and no body", { headers: [HOST, CL(5)] }, "INVALID_FRAMING"],
    ["Expect without a body", { headers: [HOST, ["Expect", "100-continue"]] }, "INVALID_HEADER"],
    [
      "Upgrade without its connection option",
      { headers: [HOST, ["Upgrade", "chat"]] },
      "INVALID_UPGRADE",
    ],
    ["Upgrade in HTTP/1.0", { version: "1.0", headers: UPGRADE }, "INVALID_UPGRADE"],
    ["TE without its connection option", { headers: [HOST, ["TE", "trailers"]] }, "INVALID_HEADER"],
    [
      "TE that lists chunked",
      { headers: [HOST, ["TE", "chunked;q=1"], ["Connection", "TE"]] },
      "INVALID_HEADER",
    ],
    [
      "Trailer beside a length",
      { method: "PUT", headers: [HOST, CL(5), ["Trailer", "X"]], body: "hello" },
      "INVALID_FRAMING",
    ],
    [
      "Trailer beside an added length",
      { method: "PUT", headers: [HOST, ["Trailer", "X"]], body: "hello" },
      "INVALID_FRAMING",
    ],
    [
      "Trailer beside an added length of zero",
      { method: "POST", headers: [HOST, ["Trailer", "X"]] },
      "INVALID_FRAMING",
    ],
    [
      "trailers with a length",
      { method: "PUT", headers: [HOST, CL(5)], body: "hello", trailers: { X: "1" } },
      "INVALID_TRAILER",
    ],
  ])("%s", async (_, request, code) => {
    expect(await requested(request)).toEqual(refused(code));
  });
});

describe("L10: a response that contradicts itself, or its request, is not sent:", () => {
  test.each<[string, object, string]>([
    ["204 with a body", { status: 204, body: "hello" }, "BODY_NOT_ALLOWED"],
    ["204 with pieces", { status: 204, body: pieces() }, "BODY_NOT_ALLOWED"],
    ["204 with trailers", { status: 204, trailers: { X: "1" } }, "BODY_NOT_ALLOWED"],
    ["204 with a length of zero", { status: 204, headers: [CL(0)] }, "INVALID_FRAMING"],
    ["205 with a body", { status: 205, body: "hello" }, "BODY_NOT_ALLOWED"],
    ["304 with a body", { status: 304, body: "hello" }, "BODY_NOT_ALLOWED"],
    ["304 with pieces", { status: 304, body: pieces() }, "BODY_NOT_ALLOWED"],
    ["304 with two lengths", { status: 304, headers: [CL(5), CL(6)] }, "INVALID_FRAMING"],
    ["a length and no body", { status: 200, headers: [CL(5)] }, "INVALID_FRAMING"],
    ["426 without Upgrade", { status: 426 }, "INVALID_UPGRADE"],
    [
      "Upgrade without its connection option",
      { status: 200, headers: [UPGRADE[1]] },
      "INVALID_UPGRADE",
    ],
    ["426 for no protocol", { status: 426, headers: [["Upgrade", "a b"]] }, "INVALID_UPGRADE"],
    ["a 101 without a proposal", { status: 101, headers: UPGRADE }, "NO_PROPOSAL"],
    [
      "trailers with a length",
      { status: 200, headers: [CL(5)], body: "hello", trailers: { X: "1" } },
      "INVALID_TRAILER",
    ],
  ])("%s", async (_, response, code) => {
    expect(await answered(response)).toEqual(refused(code));
  });

  test("a 101 with a body, without its fields, or for an unproposed protocol", async () => {
    const body = { headers: UPGRADE, body: "hello" };
    expect(await accepted(body)).toEqual(refused("BODY_NOT_ALLOWED"));
    expect(await accepted({ headers: [] })).toEqual(refused("INVALID_UPGRADE"));
    expect(await accepted({ headers: [UPGRADE[1]] })).toEqual(refused("INVALID_UPGRADE"));
    const other = [UPGRADE[0], ["Upgrade", "other"]];
    expect(await accepted({ headers: other })).toEqual(refused("NOT_OFFERED"));
    expect(await switched("chat", { headers: other })).toEqual(refused("NOT_OFFERED"));
  });

  const OLD = "GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
  const REFUSED = answer("500 Internal Server Error", "Content-Length: 0", "Connection: close");
  test.each<[string, string, object, string, string]>([
    [
      "a 2xx to CONNECT with a length",
      head("CONNECT a.test:443"),
      { status: 200, tunnel: true, headers: [CL(0)] },
      "INVALID_FRAMING",
      REFUSED,
    ],
    [
      "a 2xx to CONNECT in chunks",
      head("CONNECT a.test:443"),
      { status: 299, tunnel: true, headers: [TE("chunked")] },
      "INVALID_FRAMING",
      REFUSED,
    ],
    [
      "a 2xx to CONNECT with a body",
      head("CONNECT a.test:443"),
      { status: 200, tunnel: true, body: "hello" },
      "BODY_NOT_ALLOWED",
      REFUSED,
    ],
    [
      "chunked to HTTP/1.0",
      OLD,
      { status: 200, headers: [TE("chunked")], body: "hello" },
      "INVALID_FRAMING",
      REFUSED.replace("close", "keep-alive"),
    ],
  ])("%s", async (_, asks, response, code, written) => {
    const { peer, reports } = await serve(() => response as { status: number });
    await peer.send(asks);
    await turns();
    expect([peer.unread, reports]).toEqual([written, [`service: ${code}`]]);
  });

  test("no interim response is sent to HTTP/1.0", async () => {
    const { peer } = await serve((request) => {
      expect(request.sendInterim(103, { Link: "</a>" })).toBe(false);
      return { status: 204 };
    });
    await peer.send(OLD);
    expect(await peer.readHead()).toBe(answer("204 No Content", "Connection: keep-alive"));
    expect(peer.unread).toBe("");
  });
});

describe("L10, C09: a field that frames, routes or authenticates is not allowed in trailers:", () => {
  const NEVER = ["Content-Length", "transfer-encoding", "HOST", "Trailer", "Connection", "Upgrade"];
  NEVER.push("TE", "Expect", "Authorization", "Set-Cookie", "Content-Type", "Cache-Control");
  test.each(NEVER)("%s", async (name) => {
    const message = { body: "hello", trailers: { "X-Sum": "1", [name]: "1" } };
    const code = refused("INVALID_TRAILER");
    expect(await requested({ method: "POST", ...message })).toEqual(code);
    expect(await answered({ status: 200, ...message })).toEqual(code);
  });
});

const PROPOSAL = { Host: "a.test", Connection: "Upgrade", Upgrade: "chat" };
const PROPOSING = head("GET /", "Connection: Upgrade", "Upgrade: chat");

describe("what a message with a switch or its refusal may not have", () => {
  const CONNECT = "CONNECT a.test:1 HTTP/1.1\r\nHost: a.test:1\r\n\r\n";
  const TUNNEL = { status: 200, tunnel: true };
  const wrong: [string, string, object, string][] = [
    ["a body with a 2xx to CONNECT", CONNECT, { ...TUNNEL, body: "x" }, "BODY_NOT_ALLOWED"],
    [
      "Content-Length with it",
      CONNECT,
      { ...TUNNEL, headers: { "Content-Length": "0" } },
      "INVALID_FRAMING",
    ],
    [
      "a body with 101",
      PROPOSING,
      { status: 101, headers: PROPOSAL, body: "x" },
      "BODY_NOT_ALLOWED",
    ],
    [
      "Upgrade without its connection option",
      PROPOSING,
      { status: 200, headers: { Upgrade: "chat" } },
      "INVALID_UPGRADE",
    ],
    ["426 without Upgrade", head("GET /"), { status: 426 }, "INVALID_UPGRADE"],
  ];
  test.each(wrong)("%s is refused before the first byte", async (_, request, response, code) => {
    const { peer, reports } = await serve(() => response as { status: number });
    await peer.send(request);
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 500 /);
    expect(reports).toEqual([`service: ${code}`]);
  });

  test("Upgrade without its connection option is refused on the client, too", async () => {
    const { sender } = await dial();
    const headers = { Host: "a.test", Upgrade: "chat" };
    expect(await rejection(sender.sendRequest({ ...GET, headers }))).toBe("INVALID_UPGRADE");
  });
});
