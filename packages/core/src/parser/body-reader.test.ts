import { describe, expect, test } from "vitest";
import { RemoteProtocolError } from "../base/errors.ts";
import { type LimitOptions, resolveLimits } from "../base/limits.ts";
import type { Framing } from "../message/framing.ts";
import { BodyReader } from "./body-reader.ts";

const CHUNKED: Framing = { kind: "chunked" };

/** The body of `text` in pieces of `size`: data, trailers, how much was consumed. */
function read(framing: Framing, text: string, size: number, limits: LimitOptions): string {
  let data = "";
  let taken = 0;
  let reader: BodyReader | undefined;
  try {
    reader = BodyReader.of(framing, resolveLimits(limits));
    while (reader.trailers === undefined && taken < text.length) {
      // Not at the start of its buffer, as is usual for input.
      const piece = Buffer.from(`--${text.slice(taken, taken + size)}`, "latin1");
      for (let at = 2; at < piece.length && reader.trailers === undefined; ) {
        let got: Uint8Array | undefined;
        try {
          got = reader.read(piece, at);
        } finally {
          at += reader.consumed;
          taken += reader.consumed;
        }
        if (got !== undefined) expect(got.length, "no empty piece").toBeGreaterThan(0);
        data += Buffer.from(got ?? []).toString("latin1");
      }
    }
    const { trailers } = reader;
    return `${data}|${trailers === undefined ? "more" : trailers.toFlat().join(",")}|${taken}`;
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return `${data}|${error.code}|${taken - (reader?.held?.length ?? 0)}`;
  }
}

function everywhere(framing: Framing, text: string, limits: LimitOptions = {}): string {
  const whole = read(framing, text, text.length || 1, limits);
  for (let size = 1; size < text.length; size++) {
    expect(read(framing, text, size, limits), `pieces of ${size}`).toBe(whole);
  }
  return whole;
}

test("no body: complete before the first byte", () => {
  expect(everywhere({ kind: "none" }, "next")).toBe("||0");
  expect(everywhere({ kind: "content-length", length: 0 }, "next")).toBe("||0");
});

test("a length is counted down, and what follows is left", () => {
  expect(everywhere({ kind: "content-length", length: 5 }, "hello, next")).toBe("hello||5");
  expect(everywhere({ kind: "content-length", length: 5 }, "hell")).toBe("hell|more|4");
  expect(everywhere({ kind: "content-length", length: 2 ** 40 }, "hell")).toBe("hell|more|4");
});

test("until close: only the end of the connection completes it", () => {
  const framing: Framing = { kind: "until-close" };
  expect(everywhere(framing, "0\r\n\r\n")).toBe("0\r\n\r\n|more|5");
  expect(BodyReader.of(framing, resolveLimits()).endsWithConnection).toBe(true);
  expect(BodyReader.of(CHUNKED, resolveLimits()).endsWithConnection).toBe(false);
  expect(BodyReader.of({ kind: "none" }, resolveLimits()).endsWithConnection).toBe(false);
});

describe("chunked", () => {
  test.each([
    ["0\r\n\r\nnext", "||5"],
    ["3\r\nabc\r\n2\r\nde\r\n0\r\n\r\nnext", "abcde||20"],
    ["1\r\na\r\n0\r\nX: y\r\nx:  z \r\n\r\nnext", "a|X,y,x,z|25"],
    ["0\r\nE:\r\n\r\n", "|E,|9"],
    ["3\r\nab", "ab|more|5"],
    ["0\r\n", "|more|3"],
  ])("%j is %j", (text, outcome) => {
    expect(everywhere(CHUNKED, text)).toBe(outcome);
  });

  test.each([
    ["X : y\r\n\r\n"],
    [" X: y\r\n\r\n"],
    ["X: y\r\n z\r\n\r\n"],
    ["X\r\n\r\n"],
    ["X: \0\r\n\r\n"],
    ["X: y\n\n"],
    ["\n"],
    ["\rX"],
    ["GET / HTTP/1.1\r\n\r\n"],
    ["Content-Length: x\r\n\r\n"],
  ])("a trailer section %j is malformed", (section) => {
    const outcome = everywhere(CHUNKED, `1\r\na\r\n0\r\n${section}`);
    expect(outcome).toMatch(/^a\|MALFORMED_TRAILER\|/);
  });

  test("C08: framing fields in trailers frame nothing", () => {
    expect(everywhere(CHUNKED, "0\r\nContent-Length: 9\r\nTransfer-Encoding: x\r\n\r\nnext")).toBe(
      "|Content-Length,9,Transfer-Encoding,x|46",
    );
    expect(everywhere(CHUNKED, "0\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\nnext")).toBe(
      "|Connection,upgrade,Upgrade,a|38",
    );
  });

  test("what precedes a fault is consumed, the fault is not", () => {
    expect(everywhere(CHUNKED, "1\r\na\r\n0x\r\n")).toBe("a|MALFORMED_CHUNK|7");
  });
});

describe("L12: limits are exact", () => {
  test("a body of maxBodyBytes passes; a longer one fails after as many bytes", () => {
    const text = "2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n";
    expect(everywhere(CHUNKED, text, { maxBodyBytes: 5 })).toBe("abcde||20");
    expect(everywhere(CHUNKED, text, { maxBodyBytes: 4 })).toBe("abcd|BODY_TOO_LARGE|12");
    expect(everywhere(CHUNKED, text, { maxBodyBytes: 2 })).toBe("ab|BODY_TOO_LARGE|10");
    expect(everywhere(CHUNKED, "0\r\n\r\n", { maxBodyBytes: 0 })).toBe("||5");
    expect(everywhere({ kind: "until-close" }, "abc", { maxBodyBytes: 2 })).toBe(
      "ab|BODY_TOO_LARGE|2",
    );
    expect(everywhere({ kind: "until-close" }, "ab", { maxBodyBytes: 2 })).toBe("ab|more|2");
  });

  test("a length that is too large fails before the first byte", () => {
    expect(everywhere({ kind: "content-length", length: 6 }, "", { maxBodyBytes: 5 })).toBe(
      "|BODY_TOO_LARGE|0",
    );
    expect(everywhere({ kind: "content-length", length: 5 }, "abcde", { maxBodyBytes: 5 })).toBe(
      "abcde||5",
    );
  });

  test("trailers: bytes up to the last CRLF, and lines", () => {
    const section = "X: y\r\nZ: w\r\n\r\n";
    const read = (limits: LimitOptions) => everywhere(CHUNKED, `0\r\n${section}`, limits);
    expect(read({ maxTrailerBytes: section.length })).toBe("|X,y,Z,w|17");
    expect(read({ maxTrailerBytes: section.length - 1 })).toMatch(/\|TRAILERS_TOO_LARGE\|/);
    expect(read({ maxTrailers: 2 })).toBe("|X,y,Z,w|17");
    expect(read({ maxTrailers: 1 })).toMatch(/\|TOO_MANY_TRAILERS\|/);
  });

  test("with no room for trailers a body still ends", () => {
    expect(everywhere(CHUNKED, "0\r\n\r\n", { maxTrailerBytes: 0, maxTrailers: 0 })).toBe("||5");
    expect(everywhere(CHUNKED, "0\r\nX: y\r\n\r\n", { maxTrailerBytes: 0 })).toMatch(
      /\|TRAILERS_TOO_LARGE\|/,
    );
  });
});
