import { describe, expect, test } from "vitest";
import { inspect } from "./facts.ts";
import { type Framing, type FramingFault, requestFraming, responseFraming } from "./framing.ts";
import { Headers } from "./headers.ts";
import type { Version } from "./version.ts";

function summary(framing: Framing | FramingFault): string {
  if ("remote" in framing) return framing.remote;
  return framing.kind === "content-length" ? `length ${framing.length}` : framing.kind;
}
const request = (lines: string[], method = "POST", version: Version = "1.1") =>
  summary(requestFraming(method, version, inspect(Headers.fromFlat(lines))));
const response = (lines: string[], method = "GET", status = 200, version: Version = "1.1") =>
  summary(responseFraming(method, status, version, inspect(Headers.fromFlat(lines))));
const length = (...values: string[]) => values.flatMap((value) => ["Content-Length", value]);
const coding = (...values: string[]) => values.flatMap((value) => ["Transfer-Encoding", value]);

describe("L11 strict in: Content-Length is one decimal number, a safe integer (T21, T23, T29)", () => {
  test.each([
    ["0", "length 0"],
    ["007", "length 7"],
    ["9007199254740991", "length 9007199254740991"],
    ...[
      "9007199254740992",
      "9223372036854775808",
      "18446744073709551616",
      "9".repeat(100),
      "",
      "+5",
      "-5",
      "5.0",
      "5e1",
      "0x5",
      "5_0",
      "5,5",
      "5 5",
      '"5"',
      "٥",
      "\u00a05",
      "5;",
      "Infinity",
    ].map((value) => [value, "BAD_CONTENT_LENGTH"]),
  ])("%j", (value, framing) => {
    const facts = { ...inspect(Headers.fromFlat([])), contentLengths: 1, contentLength: value! };
    expect(summary(requestFraming("POST", "1.1", facts))).toBe(framing);
    expect(summary(responseFraming("GET", 200, "1.1", facts))).toBe(framing);
  });

  test("two lines are refused, even if they agree", () => {
    expect(request(length("5", "5"))).toBe("BAD_CONTENT_LENGTH");
    expect(response(length("5", "6"))).toBe("BAD_CONTENT_LENGTH");
  });
});

describe("Trailer", () => {
  const announced = ["Trailer", "X-Sum"];

  test("with Content-Length is refused in a request: trailers would be the next request", () => {
    expect(request([...announced, ...length("5")])).toBe("TRAILER_WITH_LENGTH");
    expect(request([...length("0"), ...announced])).toBe("TRAILER_WITH_LENGTH");
    expect(request([...announced, ...coding("chunked")])).toBe("chunked");
    expect(request(announced, "GET")).toBe("none");
  });

  test("with Content-Length is accepted in a response: data after it ends the connection", () => {
    expect(response([...announced, ...length("5")])).toBe("length 5");
  });
});

describe("L11 strict in: Transfer-Encoding", () => {
  test.each([
    ["chunked", "chunked", "chunked"],
    ["CHUNKED", "chunked", "chunked"],
    [",chunked,", "BAD_TRANSFER_ENCODING", "BAD_TRANSFER_ENCODING"],
    ["gzip,,", "BAD_TRANSFER_ENCODING", "BAD_TRANSFER_ENCODING"],
    ["", "BAD_TRANSFER_ENCODING", "BAD_TRANSFER_ENCODING"],
    [",", "BAD_TRANSFER_ENCODING", "BAD_TRANSFER_ENCODING"],
    ["chunked, chunked", "BAD_TRANSFER_ENCODING", "BAD_TRANSFER_ENCODING"],
    ["chunked, gzip", "BAD_TRANSFER_ENCODING", "BAD_TRANSFER_ENCODING"],
    ["chunked;q=1", "BAD_TRANSFER_ENCODING", "BAD_TRANSFER_ENCODING"],
    ['"chunked"', "BAD_TRANSFER_ENCODING", "BAD_TRANSFER_ENCODING"],
    ["gzip, chunked", "UNKNOWN_TRANSFER_CODING", "UNKNOWN_TRANSFER_CODING"],
    ["identity", "UNKNOWN_TRANSFER_CODING", "until-close"],
    ["xchunked", "UNKNOWN_TRANSFER_CODING", "until-close"],
    ["gzip", "UNKNOWN_TRANSFER_CODING", "until-close"],
  ])("%j is %s in a request, %s in a response", (value, inRequest, inResponse) => {
    expect(request(coding(value))).toBe(inRequest);
    expect(response(coding(value))).toBe(inResponse);
  });

  test("several lines are one list", () => {
    expect(request(coding("chunked", "identity"))).toBe("BAD_TRANSFER_ENCODING");
    expect(request(coding("", "chunked"))).toBe("BAD_TRANSFER_ENCODING");
    expect(request(coding("chunked", ""))).toBe("BAD_TRANSFER_ENCODING");
  });

  test("T11: never in HTTP/1.0", () => {
    expect(request(coding("chunked"), "POST", "1.0")).toBe("BAD_TRANSFER_ENCODING");
    expect(response(coding("chunked"), "GET", 200, "1.0")).toBe("BAD_TRANSFER_ENCODING");
  });

  test.each(["chunked", "", "identity", "gzip"])(
    "Z02: never beside Content-Length: %j",
    (value) => {
      const both = [...length("5"), ...coding(value)];
      expect(request(both)).toBe("AMBIGUOUS_FRAMING");
      expect(response(both)).toBe("AMBIGUOUS_FRAMING");
      expect(request(both, "POST", "1.0")).toBe("AMBIGUOUS_FRAMING");
    },
  );
});

describe("a request", () => {
  test("T33: without framing fields has no body", () => {
    expect(request([])).toBe("none");
  });

  test("X08: CONNECT has no framing fields at all", () => {
    expect(request([], "CONNECT")).toBe("none");
    expect(request(length("0"), "CONNECT")).toBe("CONNECT_WITH_BODY");
    expect(request(coding("chunked"), "CONNECT")).toBe("CONNECT_WITH_BODY");
  });
});

describe("a response", () => {
  test("T34: without framing fields ends with the connection", () => {
    expect(response([])).toBe("until-close");
  });

  test.each([
    ["HEAD", 200],
    ["GET", 100],
    ["GET", 199],
    ["GET", 204],
    ["GET", 304],
    ["CONNECT", 200],
    ["CONNECT", 204],
    ["CONNECT", 299],
  ])("T24, T25: to %s with %i has no body whatever its fields say", (method, status) => {
    expect(response(length("5"), method, status)).toBe("none");
    expect(response(coding("chunked"), method, status)).toBe("none");
    expect(response([], method, status)).toBe("none");
  });

  test("T25: a tunnel begins after a head that has both", () => {
    expect(response([...length("5", "6"), ...coding("x")], "CONNECT", 200)).toBe("none");
  });

  test("a refused CONNECT has the body that its fields declare", () => {
    expect(response(length("5"), "CONNECT", 407)).toBe("length 5");
    expect(response(length("5"), "CONNECT", 300)).toBe("length 5");
  });

  test("205 is read as its fields declare: whatever was sent must be read", () => {
    expect(response(length("5"), "GET", 205)).toBe("length 5");
  });
});
