import { describe, expect, test } from "vitest";
import {
  type Answered,
  CONNECT,
  check,
  fault,
  GET,
  lines,
  OLD,
  type Parts,
} from "../../test/answered-heads.ts";
import type { RequestEvent, ResponseToSend } from "../message/events.ts";
import { inspect } from "../message/facts.ts";
import { Headers } from "../message/headers.ts";
import { proposalOf } from "../message/switching.ts";
import { reasonOf } from "./reasons.ts";
import { prepareResponse } from "./response-head.ts";

const LAST: Answered = { ...GET, persists: false };
const PROPOSING: Answered = {
  ...GET,
  proposal: proposalOf(
    "GET",
    "/",
    "1.1",
    inspect(Headers.from({ Connection: "upgrade", Upgrade: "a/1, b" })),
  ),
};
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
    const changing = (good: string, evil: string) => {
      let calls = 0;
      return { toString: () => (calls++ === 0 ? good : evil) };
    };
    expect(check({ reason: changing("OK", "OK\r\nX: y") }).text).not.toContain("X: y");
    expect(check({ date: changing("now", "now\r\nX: y") }).text).not.toContain("X: y");
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
      prepareResponse(event as ResponseToSend, GET as Answered & RequestEvent).parts.text,
    ).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
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

  test.each<[string, object, Answered, string]>([
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
