import { describe, expect, test } from "vitest";
import { type Direction, Transcript } from "../src/trace/transcript.ts";
import { ManualClock } from "./stage.ts";

/** The lines that these bytes make. Each entry is what one side sends. */
function linesOf(
  entries: readonly (readonly [Direction, string])[],
  { pieceLength = Number.MAX_SAFE_INTEGER, showsSecrets = false } = {},
): string[] {
  const lines: string[] = [];
  const transcript = new Transcript((line) => lines.push(line), new ManualClock(), showsSecrets);
  for (const [direction, text] of entries) {
    const bytes = Buffer.from(text, "latin1");
    for (let from = 0; from < bytes.length; from += pieceLength) {
      transcript.bytes(direction, bytes.subarray(from, from + pieceLength));
    }
  }
  transcript.end(">", "FIN");
  return lines;
}

const SWITCH = [
  [">", "GET /chat?token=abc HTTP/1.1\r\nAuthorization: Bearer abc\r\nUpgrade: echo\r\n\r\n"],
  ["<", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nSet-Cookie: abc\r\n\r\n"],
] as const;
const HEADS = [
  "      0 ms > GET /chat?token=*** HTTP/1.1",
  "           > Authorization: Bearer ***",
  "           > Upgrade: echo",
  "      0 ms < HTTP/1.1 101 Switching Protocols",
  "           < Upgrade: echo",
  "           < Set-Cookie: ***",
  "      0 ms = switched to echo",
];

describe("a switch", () => {
  test.each([1, 2, 7, 1000])("is one, whatever its pieces: %i octets", (pieceLength) => {
    expect(linesOf(SWITCH, { pieceLength })).toEqual([...HEADS, "      0 ms > FIN"]);
  });

  test("shows what comes with it and after it, octets as octets", () => {
    const [, [, accept]] = SWITCH;
    const lines = linesOf([
      SWITCH[0],
      ["<", `${accept}early`],
      [">", `\0\x81\xff${"a".repeat(50)}`],
    ]);
    expect(lines.slice(HEADS.length, -1)).toEqual([
      '      0 ms < 5 bytes: "early"',
      `      0 ms > 53 bytes: "\\u0000\\x81\\xff${"a".repeat(45)}" …`,
    ]);
  });

  test("shows secrets if it is asked to", () => {
    expect(linesOf(SWITCH, { showsSecrets: true }).join("\n")).toContain("Bearer abc");
  });
});

describe("without a switch", () => {
  const POST = "POST / HTTP/1.1\r\nContent-Length: 6\r\n\r\nsecret";
  const GET = "GET / HTTP/1.1\r\nCookie: secret\r\n\r\n";

  test.each([1, 3, 1000])(
    "content is counted, not shown, in pieces of %i octets",
    (pieceLength) => {
      const lines = linesOf([[">", POST + GET]], { pieceLength });
      expect(lines.join("\n")).not.toContain("secret");
      expect(lines).toContain("      0 ms > GET / HTTP/1.1");
      const counts = lines.flatMap((line) => /(\d+) bytes of content/.exec(line)?.[1] ?? []);
      expect(counts.reduce((sum, one) => sum + Number(one), 0)).toBe(6);
    },
  );

  test("a head after content of unknown length is a head", () => {
    const chunked = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n";
    const lines = linesOf([
      [">", chunked],
      [">", "0\r\n\r\n"],
      [">", GET],
    ]);
    expect(lines).toContain("      0 ms > 5 bytes of content");
    expect(lines).toContain("           > Cookie: ***");
  });

  test("what is no HTTP is counted, and a head that is cut is shown", () => {
    expect(linesOf([[">", "\x16\x03\x01"]])[0]).toBe("      0 ms > 3 bytes of content");
    expect(linesOf([[">", "PING"]])[0]).toBe("      0 ms > 4 bytes of content");
    expect(linesOf([[">", "GET / HTTP/1.1\r\nHost: a"]])[0]).toBe(
      "      0 ms > GET / HTTP/1.1 (cut)",
    );
  });
});
