import { describe, expect, test } from "vitest";
import { RemoteProtocolError } from "../base/errors.ts";
import { resolveLimits } from "../base/limits.ts";
import { ChunkedReader } from "./chunked-reader.ts";

/** The data of `text` read in pieces of `size`, then where it stopped or what was wrong. */
function read(text: string, size: number, maxChunkExtensionBytes = 100): string {
  const reader = new ChunkedReader(resolveLimits({ maxChunkExtensionBytes }));
  let data = "";
  for (let start = 0; start < text.length; start += size) {
    const piece = Buffer.from(text.slice(start, start + size), "latin1");
    let at = 0;
    while (at < piece.length) {
      if (reader.atTrailers) return `${data} end ${start + at}`;
      if (reader.dataLeft > 0) {
        const end = Math.min(piece.length, at + reader.dataLeft);
        data += piece.subarray(at, end).toString("latin1");
        reader.take(end - at);
        at = end;
      } else {
        try {
          at = reader.read(piece, at);
        } catch (error) {
          if (!(error instanceof RemoteProtocolError)) throw error;
          return `${error.code} ${start + error.offset!}`;
        }
      }
    }
  }
  return `${data} ${reader.atTrailers ? `end ${text.length}` : "more"}`;
}

function everywhere(text: string, limit?: number): string {
  const whole = read(text, text.length, limit);
  for (let size = 1; size < text.length; size++) expect(read(text, size, limit)).toBe(whole);
  return whole;
}

test.each([
  ["0\r\n", " end 3"],
  ["000\r\n\r\n", " end 5"],
  ["5\r\nhello\r\n0\r\n", "hello end 13"],
  ["a\r\n0123456789\r\nA\r\n0123456789\r\n0\r\n", "01234567890123456789 end 33"],
  ["0000000005\r\nhello\r\n0\r\n", "hello end 22"],
  ["2\r\n\r\n\r\n0\r\n", "\r\n end 10"],
  ["5;a\r\nhello\r\n0;b=c\r\n", "hello end 19"],
  ['5 ; a = b\r\nhello\r\n0\t;\tb\t=\t"c"\r\n', "hello end 31"],
  ['5;a="q \\" \\\\ \x80\t";b;c=d\r\nhello\r\n0\r\n', "hello end 34"],
  ["5\r\nhel", "hel more"],
  ["", " more"],
])("C01, C05: %j is %j", (text, outcome) => {
  expect(everywhere(text)).toBe(outcome);
});

describe("L11, C04, C06: the grammar has no", () => {
  test.each([
    ["empty size", "\r\n", 0],
    ["sign", "+5\r\n", 0],
    ["minus", "-5\r\n", 0],
    ["prefix", "0x5\r\n", 1],
    ["underscore", "5_0\r\n", 1],
    ["space before", " 5\r\n", 0],
    ["space after", "5 \r\n", 2],
    ["tab after", "5\t\r\n", 2],
    ["letter beyond f", "5g\r\n", 1],
    ["dot", "5.0\r\n", 1],
    ["bare LF after a size", "5\nhello", 1],
    ["bare CR after a size", "5\rX", 2],
    ["CR CR", "5\r\r\n", 2],
    ["missing line end after data", "5\r\nhelloX", 8],
    ["bare LF after data", "5\r\nhello\n", 8],
    ["bare CR after data", "5\r\nhello\rX", 9],
    ["empty extension", "5;\r\n", 2],
    ["extension without a name", "5;=a\r\n", 2],
    ["empty value", "5;a=\r\n", 4],
    ["space at the end of an extension", "5;a \r\n", 4],
    ["space at the end of a value", "5;a=b \r\n", 6],
    ["space inside a name", "5;a b\r\n", 4],
    ["bare LF in an extension", "5;a\nb\r\n", 3],
    ["bare CR in an extension", "5;a\rb\r\n", 4],
    ["control octet in an extension", "5;a\x01\r\n", 3],
    ["NUL in quotes", '5;a="\0"\r\n', 5],
    ["LF in quotes", '5;a="\n"\r\n', 5],
    ["CR in quotes", '5;a="\r\n"\r\n', 5],
    ["control octet after a backslash", '5;a="\\\n"\r\n', 6],
    ["open quotes", '5;a="b\r\n', 6],
    ["octets after quotes", '5;a="b"c\r\n', 7],
    ["second equals sign", "5;a=b=c\r\n", 5],
    ["quoted name", '5;"a"\r\n', 2],
  ])("%s", (_, text, at) => {
    expect(everywhere(text)).toBe(`MALFORMED_CHUNK ${at}`);
  });
});

describe("C02: a size is below 2^52", () => {
  test("the largest passes", () => {
    expect(everywhere("fffffffffffff\r\nx")).toBe("x more");
    expect(everywhere("0000fffffffffffff\r\nx")).toBe("x more");
  });
  test.each([
    ["10000000000000", 13],
    ["100000000", undefined],
    ["ffffffffffffffff", 13],
    ["10000000000000005", 13],
    ["00100000000000000", 15],
  ])("%s", (size, at) => {
    const outcome = everywhere(`${size}\r\n`);
    expect(outcome).toBe(at === undefined ? " more" : `MALFORMED_CHUNK ${at}`);
  });
});

describe("L12: bytes without meaning are counted for the whole message", () => {
  test("extensions: as many octets as allowed pass, one more fails", () => {
    const text = "1;ab\r\nx\r\n1;c=d\r\ny\r\n0\r\n";
    expect(everywhere(text, 7)).toBe("xy end 22");
    expect(everywhere(text, 6)).toBe("CHUNK_EXTENSIONS_TOO_LARGE 13");
  });
  test("leading zeros of a size", () => {
    expect(everywhere("0001\r\nx\r\n000\r\n", 5)).toBe("x end 14");
    expect(everywhere("0001\r\nx\r\n000\r\n", 4)).toBe("CHUNK_EXTENSIONS_TOO_LARGE 11");
  });
  test("a thousand plain chunks count for nothing", () => {
    expect(read(`${"1\r\nx\r\n".repeat(1_000)}0\r\n`, 64, 0)).toMatch(/^x{1000} end/);
  });
});
