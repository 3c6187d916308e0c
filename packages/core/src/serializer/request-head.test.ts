import { describe, expect, test } from "vitest";
import type { RequestToSend } from "../message/events.ts";
import { headText } from "./prepared.ts";
import { prepareRequest } from "./request-head.ts";

type Parts = { readonly [Key in keyof RequestToSend]?: unknown };

// For callers without types: any part may be anything.
function check(parts: Parts, close = false) {
  const event = { type: "request", method: "GET", target: "/", headers: { Host: "a" }, ...parts };
  const { head, parts: prepared } = prepareRequest(event as RequestToSend);
  return { ...head, text: headText(prepared, close) };
}
function fault(parts: Parts): string {
  try {
    check(parts);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "nothing";
}
const lines = (parts: Parts, close?: boolean) =>
  check(parts, close).text.split("\r\n").slice(1, -2);
const upgrade = (protocols: string, connection = "Upgrade") => ({
  Host: "a",
  Connection: connection,
  Upgrade: protocols,
});

describe("L14, L15: a head is written as given, and nothing else", () => {
  test("verbatim, in order", () => {
    const headers = [
      ["x-B", "2"],
      ["HOST", "a"],
      ["X-b", "1"],
      ["x-B", ""],
    ];
    expect(check({ method: "OPTIONS", target: "*", headers }).text).toBe(
      "OPTIONS * HTTP/1.1\r\nx-B: 2\r\nHOST: a\r\nX-b: 1\r\nx-B: \r\n\r\n",
    );
  });

  test("in the requested version", () => {
    expect(check({ version: "1.0", headers: {} }).text).toBe("GET / HTTP/1.0\r\n\r\n");
  });

  test("with one Connection: close if this is the last request", () => {
    expect(lines({}, true)).toEqual(["Host: a", "Connection: close"]);
    const headers = { Host: "a", Connection: "x, Close" };
    expect(lines({ headers }, true)).toEqual(["Host: a", "Connection: x, Close"]);
  });
});

describe("Z01: injection", () => {
  const evil = ["\r", "\n", "\0", "\r\n", "\u010a", "\u560d", " ", "\t", "\x7f"];

  test.each(evil)("%j is in no method, no target and no version", (octets) => {
    for (const wrap of [
      (s: string) => s + octets,
      (s: string) => octets + s,
      (s: string) => s + octets + s,
    ]) {
      expect(fault({ method: wrap("GET") })).toBe("INVALID_METHOD");
      expect(fault({ target: wrap("/a") })).toBe("INVALID_TARGET");
      expect(fault({ method: "CONNECT", target: wrap("a:1") })).toBe("INVALID_TARGET");
      expect(fault({ method: "OPTIONS", target: wrap("*") })).toBe("INVALID_TARGET");
      expect(fault({ version: wrap("1.1") })).toBe("INVALID_OPTION");
    }
  });

  test.each(["\r", "\n", "\0", "\r\n", "\u010a", "\u560d"])("%j is in no field", (octets) => {
    expect(fault({ headers: { Host: "a", X: `1${octets}2` } })).toBe("INVALID_HEADER");
    expect(fault({ headers: { Host: "a", [`X${octets}`]: "1" } })).toBe("INVALID_HEADER");
    expect(fault({ headers: { Host: `a${octets}` } })).toBe("INVALID_HEADER");
    expect(fault({ headers: upgrade(`a${octets}`) })).toBe("INVALID_HEADER");
  });

  test.each([undefined, null])("a missing method or target is not written as %s", (nothing) => {
    expect(fault({ method: nothing })).toBe("INVALID_METHOD");
    expect(fault({ target: nothing })).toBe("INVALID_TARGET");
    expect(() => check({ method: nothing })).toThrow(": it is empty");
    expect(() => check({ target: nothing })).toThrow(": it is empty");
  });

  test("a method or target that changes between reads is read once", () => {
    let reads = 0;
    const changing = { toString: () => (reads++ === 0 ? "/a" : "/a\r\nX: y") };
    expect(check({ target: changing }).text).toBe("GET /a HTTP/1.1\r\nHost: a\r\n\r\n");
    reads = 0;
    const verb = { toString: () => (reads++ === 0 ? "GET" : "GET / HTTP/1.1\r\nX: y\r\n") };
    expect(check({ method: verb }).text).toBe("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
  });
});

describe("R07, R10: one Host", () => {
  test.each([
    [{}],
    [{ "X-Host": "a" }],
    [
      [
        ["Host", "a"],
        ["host", "a"],
      ],
    ],
    [{ Host: "a b" }],
    [{ Host: "user@a" }],
    [{ Host: "a:99999x" }],
  ])("not %j", (headers) => {
    expect(fault({ headers })).toBe("INVALID_HOST");
  });

  test("the error says how many there are", () => {
    const twice = [
      ["Host", "a"],
      ["host", "a"],
    ];
    expect(() => check({ headers: {} })).toThrow(": there is none");
    expect(() => check({ headers: twice })).toThrow(": there are 2 lines of it");
  });

  test("an empty one counts; HTTP/1.0 needs none, but must not have two", () => {
    expect(fault({ headers: { Host: "" } })).toBe("nothing");
    expect(fault({ headers: {}, version: "1.0" })).toBe("nothing");
    expect(
      fault({
        headers: [
          ["Host", "a"],
          ["Host", "a"],
        ],
        version: "1.0",
      }),
    ).toBe("INVALID_HOST");
  });
});

describe("framing", () => {
  const post = (parts: Parts) => ({ method: "POST", ...parts });

  test.each([
    ["T37: a known length", { bodyLength: 5 }, "Content-Length: 5"],
    ["an unknown one", { bodyLength: "unknown" }, "Transfer-Encoding: chunked"],
    ["T14: none, if the method anticipates one", { bodyLength: 0 }, "Content-Length: 0"],
    ["T15: none, if it does not", { method: "GET", bodyLength: 0 }, undefined],
    ["no length given", {}, undefined],
  ])("%s", (_, parts, line) => {
    expect(lines(post(parts))).toEqual(line === undefined ? ["Host: a"] : ["Host: a", line]);
  });

  test("what the headers declare is left as it is", () => {
    const headers = { "content-length": "05", "Host": "a" };
    expect(lines(post({ headers, bodyLength: 5 }))).toEqual(["content-length: 05", "Host: a"]);
    expect(check(post({ headers })).framing).toEqual({ kind: "content-length", length: 5 });
    const chunked = { "Host": "a", "Transfer-Encoding": "Chunked" };
    expect(lines(post({ headers: chunked, bodyLength: 5 }))).toEqual([
      "Host: a",
      "Transfer-Encoding: Chunked",
    ]);
  });

  test.each([
    ["a length the body does not have", { "Content-Length": "5" }, 4],
    ["T13: both", { "Content-Length": "5", "Transfer-Encoding": "chunked" }, 5],
    ["T02: chunked twice", { "Transfer-Encoding": "chunked, chunked" }, "unknown"],
    ["T03: chunked not last", { "Transfer-Encoding": "chunked, gzip" }, "unknown"],
    ["a coding we do not apply", { "Transfer-Encoding": "gzip, chunked" }, "unknown"],
    ["an empty coding", { "Transfer-Encoding": "" }, "unknown"],
    ["a malformed length", { "Content-Length": "+5" }, undefined],
    ["two lengths", { "Content-Length": ["5", "5"] }, 5],
  ])("%s is refused", (_, fields, bodyLength) => {
    expect(fault(post({ headers: { Host: "a", ...fields }, bodyLength }))).toBe("INVALID_FRAMING");
  });

  test.each([-1, 1.5, NaN, Infinity, 2 ** 53, "5", "5\r\nX: y", null, {}])(
    "a body of %j bytes is refused",
    (bodyLength) => {
      expect(fault(post({ bodyLength }))).toBe("INVALID_FRAMING");
    },
  );

  test("T08: in HTTP/1.0 nothing is chunked", () => {
    expect(fault(post({ version: "1.0", bodyLength: "unknown" }))).toBe("INVALID_FRAMING");
    const headers = { "Host": "a", "Transfer-Encoding": "chunked" };
    expect(fault(post({ version: "1.0", headers }))).toBe("INVALID_FRAMING");
    expect(fault(post({ version: "1.0", bodyLength: 5 }))).toBe("nothing");
  });

  test("X08: a CONNECT has no body", () => {
    const connect = (parts: Parts) => fault({ method: "CONNECT", target: "a:1", ...parts });
    expect(connect({})).toBe("nothing");
    expect(connect({ bodyLength: 0 })).toBe("nothing");
    expect(connect({ bodyLength: 5 })).toBe("BODY_NOT_ALLOWED");
    expect(connect({ bodyLength: "unknown" })).toBe("BODY_NOT_ALLOWED");
    expect(connect({ headers: { "Host": "a", "Content-Length": "0" } })).toBe("INVALID_FRAMING");
    expect(connect({ headers: { "Host": "a", "Transfer-Encoding": "chunked" } })).toBe(
      "INVALID_FRAMING",
    );
  });
});

describe("a proposal", () => {
  test("is what the server will read", () => {
    expect(check({ headers: upgrade("A/1, b") }).proposal?.protocols).toEqual(["A/1", "b"]);
    expect(check({ method: "CONNECT", target: "a:1" }).proposal?.kind).toBe("connect");
    expect(check({}).proposal).toBeUndefined();
  });

  test.each([
    ["U02: Upgrade without its option", { Host: "a", Upgrade: "x" }, "1.1"],
    ["K05: with one that only looks like it", upgrade("x", "upgrades"), "1.1"],
    ["F19: an empty member", upgrade("a,,b"), "1.1"],
    ["an empty list", upgrade(""), "1.1"],
    ["not a token", upgrade("a b"), "1.1"],
    ["no version after a slash", upgrade("a/"), "1.1"],
    ["U08: in HTTP/1.0", upgrade("a"), "1.0"],
  ])("%s is refused", (_, headers, version) => {
    expect(fault({ headers, version })).toBe("INVALID_UPGRADE");
  });
});

describe("E01: Expect", () => {
  const headers = { Host: "a", Expect: "100-Continue" };
  test("needs a body", () => {
    expect(fault({ method: "POST", headers })).toBe("INVALID_HEADER");
    expect(fault({ method: "POST", headers, bodyLength: 0 })).toBe("INVALID_HEADER");
    expect(fault({ method: "POST", headers: { ...headers, "Content-Length": "0" } })).toBe(
      "INVALID_HEADER",
    );
    expect(check({ method: "POST", headers, bodyLength: 5 }).expectsContinue).toBe(true);
  });
  test("E05: does not make a client wait in HTTP/1.0", () => {
    const request = check({ method: "POST", headers, bodyLength: 5, version: "1.0" });
    expect(request.expectsContinue).toBe(false);
  });
});

describe("L10 strict out: TE", () => {
  const te = (value: string, connection?: string) =>
    fault({ headers: { Host: "a", TE: value, ...(connection && { Connection: connection }) } });
  test("C13: needs its connection option", () => {
    expect(te("trailers")).toBe("INVALID_HEADER");
    expect(te("trailers", "close")).toBe("INVALID_HEADER");
    expect(te("trailers", "close, te")).toBe("nothing");
    expect(te("", "TE")).toBe("nothing");
  });
  test("C12: never names chunked, which every recipient accepts", () => {
    for (const value of ["chunked", "trailers, Chunked", "chunked;q=0.5", "chunked ;q=0.5"]) {
      expect(te(value, "TE")).toBe("INVALID_HEADER");
    }
    expect(te("xchunked", "TE")).toBe("nothing");
  });
});

test("Y08: a TRACE has no body", () => {
  const trace = (parts: Parts) => fault({ method: "TRACE", ...parts });
  expect(trace({})).toBe("nothing");
  expect(trace({ bodyLength: 0 })).toBe("nothing");
  expect(trace({ bodyLength: 1 })).toBe("BODY_NOT_ALLOWED");
  expect(trace({ bodyLength: "unknown" })).toBe("BODY_NOT_ALLOWED");
  expect(trace({ headers: { "Host": "a", "Content-Length": "1" } })).toBe("BODY_NOT_ALLOWED");
});

test("headers of the wrong shape and headers with invalid lines have different codes", () => {
  expect(fault({ headers: "Host: a" })).toBe("INVALID_HEADERS");
  expect(fault({ headers: { Host: {} } })).toBe("INVALID_HEADER");
});
