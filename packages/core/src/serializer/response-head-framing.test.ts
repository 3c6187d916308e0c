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

const HEAD: Answered = { ...GET, method: "HEAD" };

describe("framing", () => {
  test.each<[string, Parts, Answered, string[]]>([
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

  test.each<[string, Parts, Answered, string]>([
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
