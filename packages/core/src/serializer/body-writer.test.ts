import { describe, expect, test } from "vitest";
import type { Framing } from "../message/framing.ts";
import type { HeadersInit } from "../message/headers.ts";
import { BodyWriter } from "./body-writer.ts";

/** A sink that keeps what is written to it. */
function wire() {
  const pieces: Uint8Array[] = [];
  return {
    text: (octets: string) => pieces.push(Buffer.from(octets, "latin1")),
    bytes: (octets: Uint8Array) => pieces.push(octets),
    get octets() {
      return Buffer.concat(pieces).toString("latin1");
    },
  };
}

/** A body of these pieces on the wire, or the code of the error. */
function written(framing: Framing, pieces: unknown[], trailers?: unknown): string {
  const sink = wire();
  const writer = new BodyWriter(framing);
  const calls = [
    ...pieces.map((piece) => () => writer.write(sink, piece as string)),
    () => writer.end(sink, trailers as HeadersInit),
  ];
  for (const call of calls) {
    const before = sink.octets;
    try {
      call();
    } catch (error) {
      // L10: refused before a byte of it was written.
      expect(sink.octets).toBe(before);
      return (error as { code: string }).code;
    }
  }
  return sink.octets;
}

const CHUNKED: Framing = { kind: "chunked" };
const five: Framing = { kind: "content-length", length: 5 };

describe("chunked", () => {
  test("sizes are hexadecimal, text and bytes alike", () => {
    expect(written(CHUNKED, ["a".repeat(26), Uint8Array.of(0xff, 0x0d)])).toBe(
      `1a\r\n${"a".repeat(26)}\r\n2\r\n\xff\r\r\n0\r\n\r\n`,
    );
  });

  test("C15: an empty piece is not the last chunk", () => {
    expect(written(CHUNKED, ["", new Uint8Array(0), "a", ""])).toBe("1\r\na\r\n0\r\n\r\n");
  });

  test("trailers follow the last chunk, verbatim", () => {
    expect(
      written(
        CHUNKED,
        [],
        [
          ["x-B", "1"],
          ["X-b", "2"],
        ],
      ),
    ).toBe("0\r\nx-B: 1\r\nX-b: 2\r\n\r\n");
  });
});

describe("L10 strict out: a length", () => {
  test("is kept exactly", () => {
    expect(written(five, ["he", "", "llo"])).toBe("hello");
    expect(written(five, ["he", "llo!"])).toBe("BODY_TOO_LONG");
    expect(written(five, ["hell"])).toBe("BODY_TOO_SHORT");
    expect(written({ kind: "content-length", length: 0 }, [])).toBe("");
  });

  test("a piece that fits may follow one that was too long", () => {
    const writer = new BodyWriter(five);
    const sink = wire();
    expect(() => writer.write(sink, "123456")).toThrow("longer than its Content-Length");
    writer.write(sink, "12345");
    writer.end(sink, undefined);
    expect(sink.octets).toBe("12345");
  });
});

test("without a body no byte is accepted, but an empty piece is", () => {
  expect(written({ kind: "none" }, ["a"])).toBe("BODY_NOT_ALLOWED");
  expect(written({ kind: "none" }, [""])).toBe("");
});

test("until close is written as it is", () => {
  expect(written({ kind: "until-close" }, ["a", "0\r\n\r\n"])).toBe("a0\r\n\r\n");
});

describe("L10, C09: trailers", () => {
  test.each([five, { kind: "none" }, { kind: "until-close" }] as Framing[])(
    "are refused after %j",
    (framing) => {
      const pieces = framing.kind === "content-length" ? ["hello"] : [];
      expect(written(framing, pieces, { X: "1" })).toBe("INVALID_TRAILER");
      expect(written(framing, pieces, {})).toBe(pieces.join(""));
    },
  );

  test.each([
    ...["Content-Length", "transfer-encoding", "Host", "CONNECTION", "Upgrade", "Trailer", "TE"],
    ...["Authorization", "Set-Cookie", "Content-Type", "Content-Encoding", "Cache-Control"],
    ...["Proxy-Authenticate", "WWW-Authenticate", "Expect", "Range", "Max-Forwards", "Keep-Alive"],
  ])("never frame, route or authenticate: %s", (name) => {
    expect(written(CHUNKED, ["a"], { [name]: "1" })).toBe("INVALID_TRAILER");
  });

  test.each(["\r", "\n", "\0", "\u010a", "\u560d"])("have no %j", (octets) => {
    expect(written(CHUNKED, [], { X: `1${octets}` })).toBe("INVALID_HEADER");
    expect(written(CHUNKED, [], { [`X${octets}`]: "1" })).toBe("INVALID_HEADER");
  });
});

describe("data is octets", () => {
  test.each(["\u0100", "a\u010a", "\u560d", "\u{1f600}"])("text with %j is refused", (text) => {
    for (const framing of [CHUNKED, five]) expect(written(framing, [text])).toBe("INVALID_BODY");
  });
  test.each([[[1, 2]], [new Uint16Array(2)], [{ length: 3 }], [5], [null]])(
    "%j is refused",
    (piece) => {
      expect(written(CHUNKED, [piece])).toBe("INVALID_BODY");
    },
  );
});
