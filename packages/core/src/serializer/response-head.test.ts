import { describe, expect, test } from "vitest";
import type { RequestEvent, ResponseToSend } from "../message/events.ts";
import { inspect } from "../message/facts.ts";
import { Headers } from "../message/headers.ts";
import { proposalOf } from "../message/switching.ts";
import { headText } from "./prepared.ts";
import { reasonOf } from "./reasons.ts";
import { prepareResponse } from "./response-head.ts";

type Parts = { readonly [Key in keyof ResponseToSend]?: unknown };

/** What is answered, and whether the connection may persist so far. */
type Asked = Pick<RequestEvent, "method" | "version" | "proposal"> & { readonly persists: boolean };

const GET: Asked = { method: "GET", version: "1.1", proposal: undefined, persists: true };
const HEAD: Asked = { ...GET, method: "HEAD" };
const OLD: Asked = { ...GET, version: "1.0" };
const LAST: Asked = { ...GET, persists: false };
const CONNECT: Asked = {
  ...GET,
  method: "CONNECT",
  proposal: proposalOf("CONNECT", "1.1", inspect(Headers.from([]))),
};
const PROPOSING: Asked = {
  ...GET,
  proposal: proposalOf(
    "GET",
    "1.1",
    inspect(Headers.from({ Connection: "upgrade", Upgrade: "a/1, b" })),
  ),
};

// For callers without types: any part may be anything.
function check(parts: Parts, request = GET) {
  const event = { type: "response", status: 200, bodyLength: 0, ...parts } as ResponseToSend;
  const { head, parts: prepared } = prepareResponse(event, request as Asked & RequestEvent);
  const persists = request.persists && prepared.persists;
  return { ...head, persists, text: headText(prepared, !persists) };
}
function fault(parts: Parts, request = GET): string {
  try {
    check(parts, request);
  } catch (error) {
    return (error as { code: string }).code;
  }
  return "nothing";
}
const lines = (parts: Parts, request = GET) =>
  check(parts, request).text.split("\r\n").slice(1, -2);
const first = (parts: Parts) => check(parts).text.split("\r\n")[0];

describe("the status line", () => {
  test("S01: has the space even without a reason", () => {
    expect(first({ status: 299 })).toBe("HTTP/1.1 299 ");
    expect(first({ reason: "" })).toBe("HTTP/1.1 200 ");
  });
  test("has the registry's phrase, or the caller's", () => {
    expect(first({ status: 404 })).toBe("HTTP/1.1 404 Not Found");
    expect(first({ status: 404, reason: "Gone\tfishing \xe9" })).toBe(
      "HTTP/1.1 404 Gone\tfishing \xe9",
    );
  });
  test("M13: is HTTP/1.1 to a client that speaks 1.0 as well", () => {
    expect(check({}, OLD).text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
  test.each([99, 1000, 200.5, NaN, "200", "200 OK\r\nX: y", null, undefined, -200])(
    "has no status %j",
    (status) => {
      expect(fault({ status, reason: "x" })).toBe("INVALID_STATUS");
    },
  );
});

describe("interim and final responses are distinct", () => {
  const interim = { type: "interim-response", bodyLength: undefined };
  test.each([
    ["response", 100, "INVALID_STATUS"],
    ["response", 103, "INVALID_STATUS"],
    ["response", 200, "nothing"],
    ["interim-response", 100, "nothing"],
    ["interim-response", 103, "nothing"],
    ["interim-response", 199, "nothing"],
    ["interim-response", 101, "INVALID_STATUS"],
    ["interim-response", 200, "INVALID_STATUS"],
  ])("%s %i: %s", (type, status, code) => {
    expect(fault({ type, status, bodyLength: undefined })).toBe(code);
  });
  test("Y01: an HTTP/1.0 client gets no 1xx", () => {
    expect(fault({ ...interim, status: 103 }, OLD)).toBe("INVALID_STATUS");
  });
  test("an interim response ends nothing", () => {
    expect(lines({ ...interim, status: 103, headers: { Link: "x" } }, LAST)).toEqual(["Link: x"]);
  });
});

describe("Z01: injection", () => {
  test.each(["\r", "\n", "\0", "\r\nX: y", "\u010a", "\u560d", "\x7f"])(
    "%j is in no reason, no field and no date",
    (octets) => {
      expect(fault({ reason: `OK${octets}` })).toBe("INVALID_REASON");
      expect(fault({ date: `now${octets}` })).toBe("INVALID_HEADER");
      expect(fault({ headers: { X: `1${octets}` } })).toBe("INVALID_HEADER");
      expect(fault({ headers: { [`X${octets}`]: "1" } })).toBe("INVALID_HEADER");
    },
  );

  test("what is checked is what is written", () => {
    const shifty = (good: string, evil: string) => {
      let calls = 0;
      return { toString: () => (calls++ === 0 ? good : evil) };
    };
    expect(check({ reason: shifty("OK", "OK\r\nX: y") }).text).not.toContain("X: y");
    expect(check({ date: shifty("now", "now\r\nX: y") }).text).not.toContain("X: y");
    let reads = 0;
    const event = {
      type: "response",
      bodyLength: 0,
      reason: "OK",
      get status() {
        return reads++ === 0 ? 200 : "200\r\nX: y";
      },
    };
    expect(
      prepareResponse(event as ResponseToSend, GET as Asked & RequestEvent).parts.text,
    ).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
  });
});

describe("framing", () => {
  test.each<[string, Parts, Asked, string[]]>([
    ["T20: a known length", { bodyLength: 5 }, GET, ["Content-Length: 5"]],
    ["none", { bodyLength: 0 }, GET, ["Content-Length: 0"]],
    ["an unknown one", { bodyLength: "unknown" }, GET, ["Transfer-Encoding: chunked"]],
    ["T09: an unknown one to HTTP/1.0", { bodyLength: "unknown" }, OLD, ["Connection: close"]],
    ["no length given", { bodyLength: undefined }, GET, ["Connection: close"]],
    [
      "a known length to HTTP/1.0",
      { bodyLength: 5 },
      OLD,
      ["Content-Length: 5", "Connection: keep-alive"],
    ],
    ["to HEAD, the length of the answer to GET", { bodyLength: 5 }, HEAD, ["Content-Length: 5"]],
    ["T16: to HEAD, a zero says nothing", { bodyLength: 0 }, HEAD, []],
    [
      "to HEAD, chunked as GET would be",
      { bodyLength: "unknown" },
      HEAD,
      ["Transfer-Encoding: chunked"],
    ],
    ["T18: 204", { status: 204 }, GET, []],
    ["Y05: 205", { status: 205 }, GET, ["Content-Length: 0"]],
    ["304", { status: 304 }, GET, []],
    [
      "T17: 304 with the length of a 200",
      { status: 304, headers: { "Content-Length": "5" } },
      GET,
      ["Content-Length: 5"],
    ],
    ["T19: 200 to CONNECT", {}, CONNECT, []],
    [
      "X05: 407 to CONNECT",
      { status: 407, bodyLength: 3 },
      CONNECT,
      ["Content-Length: 3", "Connection: close"],
    ],
  ])("%s", (_, parts, request, written) => {
    expect(lines(parts, request)).toEqual(written);
  });

  test.each<[string, Parts, Asked, string]>([
    [
      "T13: both",
      { headers: { "Content-Length": "5", "Transfer-Encoding": "chunked" } },
      GET,
      "INVALID_FRAMING",
    ],
    [
      "another length",
      { headers: { "Content-Length": "5" }, bodyLength: 4 },
      GET,
      "INVALID_FRAMING",
    ],
    ["a malformed length", { headers: { "Content-Length": "5," } }, GET, "INVALID_FRAMING"],
    [
      "T04: a coding we do not apply",
      { headers: { "Transfer-Encoding": "gzip" } },
      GET,
      "INVALID_FRAMING",
    ],
    [
      "T02: chunked twice",
      { headers: { "Transfer-Encoding": "chunked, chunked" } },
      GET,
      "INVALID_FRAMING",
    ],
    [
      "T09: chunked to HTTP/1.0",
      { headers: { "Transfer-Encoding": "chunked" } },
      OLD,
      "INVALID_FRAMING",
    ],
    [
      "T05: a coding with 204",
      { status: 204, headers: { "Transfer-Encoding": "chunked" } },
      GET,
      "INVALID_FRAMING",
    ],
    [
      "T18: a length with 204",
      { status: 204, headers: { "Content-Length": "0" } },
      GET,
      "INVALID_FRAMING",
    ],
    [
      "T18: a length with 103",
      {
        type: "interim-response",
        status: 103,
        headers: { "Content-Length": "0" },
        bodyLength: undefined,
      },
      GET,
      "INVALID_FRAMING",
    ],
    [
      "T06: a coding with 2xx to CONNECT",
      { headers: { "Transfer-Encoding": "chunked" } },
      CONNECT,
      "INVALID_FRAMING",
    ],
    [
      "X03: a length with 2xx to CONNECT",
      { headers: { "Content-Length": "0" } },
      CONNECT,
      "INVALID_FRAMING",
    ],
    ["a body with 204", { status: 204, bodyLength: 1 }, GET, "BODY_NOT_ALLOWED"],
    ["a body with 205", { status: 205, bodyLength: 1 }, GET, "BODY_NOT_ALLOWED"],
    ["Y07: a body with 304", { status: 304, bodyLength: "unknown" }, GET, "BODY_NOT_ALLOWED"],
    [
      "a body with 103",
      { type: "interim-response", status: 103, bodyLength: 1 },
      GET,
      "BODY_NOT_ALLOWED",
    ],
    ["a body with 2xx to CONNECT", { bodyLength: 1 }, CONNECT, "BODY_NOT_ALLOWED"],
    ["a length that is not a number", { bodyLength: "5\r\nX: y" }, GET, "INVALID_FRAMING"],
    ["a negative length", { bodyLength: -1 }, GET, "INVALID_FRAMING"],
    ["half a byte", { bodyLength: 0.5 }, GET, "INVALID_FRAMING"],
  ])("%s is refused", (_, parts, request, code) => {
    expect(fault(parts, request)).toBe(code);
  });

  test("to HEAD no body is sent, whatever the head declares", () => {
    expect(check({ bodyLength: 5 }, HEAD).framing.kind).toBe("none");
    expect(check({ headers: { "Content-Length": "7" } }, HEAD).framing.kind).toBe("none");
  });

  test("a length in the headers is left as it is", () => {
    const headers = { "content-length": "5", "X": "1" };
    expect(lines({ headers, bodyLength: 5 })).toEqual(["content-length: 5", "X: 1"]);
    expect(lines({ headers, bodyLength: undefined })).toEqual(["content-length: 5", "X: 1"]);
  });
});

describe("persistence", () => {
  const closes = (parts: Parts, request = GET) => !check(parts, request).persists;

  test("I08: a response that ends the connection has one Connection: close", () => {
    expect(lines({}, LAST)).toEqual(["Content-Length: 0", "Connection: close"]);
    expect(lines({ headers: { Connection: "Close" } }, LAST)).toEqual([
      "Connection: Close",
      "Content-Length: 0",
    ]);
    expect(closes({ headers: { Connection: "close" } })).toBe(true);
    expect(closes({ bodyLength: undefined })).toBe(true);
    expect(closes({})).toBe(false);
    expect(closes({}, LAST)).toBe(true);
  });

  test("an HTTP/1.0 client that asked for keep-alive gets it", () => {
    expect(lines({}, OLD)).toContain("Connection: keep-alive");
    expect(lines({ headers: { Connection: "Keep-Alive" } }, OLD)).toEqual([
      "Connection: Keep-Alive",
      "Content-Length: 0",
    ]);
    expect(lines({}, { ...OLD, persists: false })).toEqual([
      "Content-Length: 0",
      "Connection: close",
    ]);
    expect(closes({ headers: { Connection: "close" } }, OLD)).toBe(true);
  });

  test("X10: a refused CONNECT ends the connection, an accepted one has no Connection", () => {
    expect(closes({ status: 403 }, CONNECT)).toBe(true);
    expect(lines({}, { ...CONNECT, persists: false })).toEqual([]);
  });

  test("a refused upgrade does not", () => {
    expect(closes({ status: 403 }, PROPOSING)).toBe(false);
  });
});

describe("101", () => {
  const accept = (headers: object, request = PROPOSING, parts: Parts = {}) =>
    fault({ status: 101, headers, bodyLength: undefined, ...parts }, request);
  const right = { Connection: "Upgrade", Upgrade: "A/1" };

  test("U05: is written as given, whether or not the connection persists", () => {
    const written = ["Connection: Upgrade", "Upgrade: A/1"];
    expect(lines({ status: 101, headers: right }, PROPOSING)).toEqual(written);
    expect(lines({ status: 101, headers: right }, { ...PROPOSING, persists: false })).toEqual(
      written,
    );
  });

  test.each<[string, object, Asked, string]>([
    ["to no proposal", right, GET, "NO_PROPOSAL"],
    ["to CONNECT", right, CONNECT, "NO_PROPOSAL"],
    ["to HTTP/1.0", right, OLD, "INVALID_STATUS"],
    [
      "U06: for what was not offered",
      { Connection: "Upgrade", Upgrade: "c" },
      PROPOSING,
      "NOT_OFFERED",
    ],
    [
      "for more than was offered",
      { Connection: "Upgrade", Upgrade: "b, c" },
      PROPOSING,
      "NOT_OFFERED",
    ],
    ["for another version", { Connection: "Upgrade", Upgrade: "a/2" }, PROPOSING, "NOT_OFFERED"],
    ["without Upgrade", { Connection: "Upgrade" }, PROPOSING, "INVALID_UPGRADE"],
    ["without its option", { Upgrade: "b" }, PROPOSING, "INVALID_UPGRADE"],
    ["with a length", { ...right, "Content-Length": "0" }, PROPOSING, "INVALID_FRAMING"],
    ["with a coding", { ...right, "Transfer-Encoding": "chunked" }, PROPOSING, "INVALID_FRAMING"],
  ])("not %s", (_, headers, request, code) => {
    expect(accept(headers, request)).toBe(code);
  });

  test("has no body", () => {
    expect(accept(right, PROPOSING, { bodyLength: 1 })).toBe("BODY_NOT_ALLOWED");
  });
});

describe("Upgrade on other responses", () => {
  test("U10: 426 names the protocols it requires", () => {
    expect(fault({ status: 426 })).toBe("INVALID_UPGRADE");
    expect(fault({ status: 426, headers: { Connection: "upgrade", Upgrade: "a" } })).toBe(
      "nothing",
    );
  });
  test("L14, U02: a 426 gets the option that its Upgrade needs, if it is missing", () => {
    const text = (headers: object) => check({ status: 426, headers }).text;
    expect(text({ Upgrade: "a" })).toContain("\r\nConnection: Upgrade\r\n");
    expect(text({ Connection: "x", Upgrade: "a" })).toContain("\r\nConnection: Upgrade\r\n");
    expect(text({ Upgrade: "a", connection: "x, UPGRADE" })).not.toContain("Connection: ");
    expect(fault({ status: 426, headers: { Upgrade: "a b" } })).toBe("INVALID_UPGRADE");
  });
  test("U02: always with its option", () => {
    expect(fault({ headers: { Upgrade: "a" } })).toBe("INVALID_UPGRADE");
    expect(fault({ headers: { Connection: "upgrade", Upgrade: "a" } })).toBe("nothing");
  });
});

test("F25: the date is written unless the headers have one", () => {
  expect(lines({ date: "Sun, 06 Nov 1994 08:49:37 GMT" })).toContain(
    "Date: Sun, 06 Nov 1994 08:49:37 GMT",
  );
  const headers = { date: "mine" };
  expect(lines({ headers, date: "yours" })).toEqual(["date: mine", "Content-Length: 0"]);
});

test("every phrase can be sent, and an unknown status has none", () => {
  for (let status = 100; status <= 999; status++)
    expect(reasonOf(status)).toMatch(/^[A-Za-z' -]*$/);
  expect([reasonOf(101), reasonOf(426), reasonOf(299)]).toEqual([
    "Switching Protocols",
    "Upgrade Required",
    "",
  ]);
});
