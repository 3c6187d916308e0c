import { describe, expect, test } from "vitest";
import { outcome, request, response } from "../../test/read-heads.ts";

describe("L12: a limit is exact", () => {
  const head = "GET /abcd HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n";

  test("a head of maxHeadBytes passes, one more byte fails", () => {
    expect(request(head, { maxHeadBytes: head.length })).toContain("GET|/abcd");
    expect(request(head, { maxHeadBytes: head.length - 1 })).toBe(
      `HEAD_TOO_LARGE at ${head.length - 1}`,
    );
  });

  test("empty lines before it count", () => {
    const late = `\r\n${head}`;
    expect(request(late, { maxHeadBytes: late.length })).toContain("GET|/abcd");
    expect(request(late, { maxHeadBytes: head.length })).toBe(`HEAD_TOO_LARGE at ${head.length}`);
    expect(request("\r\n".repeat(20), { maxHeadBytes: 9 })).toBe("HEAD_TOO_LARGE at 9");
  });

  test("white space counts, although llhttp skips it", () => {
    const spaced = `GET / HTTP/1.1\r\nA:${" ".repeat(50)}1\r\n\r\n`;
    expect(request(spaced, { maxHeadBytes: 40 })).toBe("HEAD_TOO_LARGE at 40");
  });

  test("a target of maxTargetBytes passes, one more byte fails at that byte", () => {
    expect(request(head, { maxTargetBytes: 5 })).toContain("GET|/abcd");
    expect(request(head, { maxTargetBytes: 4 })).toBe("TARGET_TOO_LONG at 8");
    expect(request(`\r\n${head}`, { maxTargetBytes: 4 })).toBe("TARGET_TOO_LONG at 10");
  });

  test("R04: targets of 8,000 and 8,192 octets pass by default; one more octet fails", () => {
    for (const length of [8_000, 8_192]) {
      const long = `GET /${"a".repeat(length - 1)} HTTP/1.1\r\n\r\n`;
      expect(outcome("request", long, {}, [4_000, 8_001])).toContain("GET|/aaa");
    }
    expect(outcome("request", `GET /${"a".repeat(8_192)} HTTP/1.1\r\n\r\n`)).toBe(
      "TARGET_TOO_LONG at 8196",
    );
  });

  test("if a target fills the head, the target is too long, not the head", () => {
    expect(request(`GET /${"a".repeat(50)}`, { maxHeadBytes: 30 })).toBe("TARGET_TOO_LONG at 30");
  });

  test("a target that is too long before it is malformed is too long", () => {
    expect(request("GET /abcd\x00 HTTP/1.1\r\n", { maxTargetBytes: 4 })).toBe(
      "TARGET_TOO_LONG at 8",
    );
    expect(request("GET /abc\x00d HTTP/1.1\r\n", { maxTargetBytes: 4 })).toBe(
      "MALFORMED_TARGET at 8",
    );
  });

  test("maxTargetBytes does not apply to a response", () => {
    expect(response("HTTP/1.1 200 OK\r\nA\r\n", { maxTargetBytes: 0 })).toBe(
      "MALFORMED_FIELD at 18",
    );
    expect(response("HTTP/1.1 200 OK\r\n\r\n", { maxTargetBytes: 0 })).toContain("200|OK");
  });

  test("maxHeaders fields pass, one more fails where it starts", () => {
    expect(request(head, { maxHeaders: 2 })).toContain("GET|/abcd");
    expect(request(head, { maxHeaders: 1 })).toBe("TOO_MANY_HEADERS at 26");
    expect(request("GET / HTTP/1.1\r\n\r\n", { maxHeaders: 0 })).toContain("GET|/");
  });
});

describe("a head larger than any internal buffer", () => {
  test("more fields than the tape holds", () => {
    const lines = Array.from({ length: 2_000 }, (_, i) => `H${i}: ${i}\r\n`).join("");
    const head = `GET / HTTP/1.1\r\n${lines}\r\n`;
    const limits = { maxHeadBytes: 100_000, maxHeaders: 2_000 };
    const whole = outcome("request", head, limits);
    expect(whole).toContain("|H1999|1999 after");
    expect(outcome("request", head, limits, [1_000, 20_000])).toBe(whole);
  });

  test("more octets than llhttp is given at once: a span across the split stays one", () => {
    const limits = { maxHeadBytes: 400_000, maxTargetBytes: 200_000 };
    for (const at of [65_520, 65_530, 65_534, 65_535, 65_536, 65_537, 65_540]) {
      const long = `GET / HTTP/1.1\r\nLong: ${"x".repeat(at - 22)}\r\nNext: ${"y".repeat(70_000)}\r\n\r\n`;
      expect(outcome("request", long, limits), String(at)).toBe(
        `GET|/|1.1|Long|${"x".repeat(at - 22)}|Next|${"y".repeat(70_000)} after ${long.length}`,
      );
    }
    const target = `/${"t".repeat(150_000)}`;
    const wide = `GET ${target} HTTP/1.1\r\nA: b\r\n\r\n`;
    expect(outcome("request", wide, limits)).toBe(`GET|${target}|1.1|A|b after ${wide.length}`);
  });
});
