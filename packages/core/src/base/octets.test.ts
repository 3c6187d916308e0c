import { afterEach, expect, test, vi } from "vitest";
import { concat, textToUtf8, utf8ToText } from "./octets.ts";

const all = Uint8Array.from({ length: 256 }, (_, octet) => octet);

afterEach(() => vi.unstubAllGlobals());

test.each(["with Buffer", "without Buffer"])("latin-1 keeps every octet, %s", async (platform) => {
  // The platform's methods are looked up once, so each platform needs its own copy of the module.
  vi.resetModules();
  const { latin1ToText, textToLatin1 } = await import("./octets.ts");
  if (platform === "without Buffer") vi.stubGlobal("Buffer", undefined);
  const text = latin1ToText(all);
  expect([...text].map((char) => char.charCodeAt(0))).toEqual([...all]);
  const octets = textToLatin1(text);
  expect([...octets]).toEqual([...all]);
  expect(octets.buffer.byteLength).toBe(256);
  expect(latin1ToText(all, 0x41, 0x44)).toBe("ABC");
});

test("without Buffer, a long text is split into calls that an engine accepts", async () => {
  vi.resetModules();
  const { latin1ToText } = await import("./octets.ts");
  vi.stubGlobal("Buffer", undefined);
  const long = Uint8Array.from({ length: 300_000 }, (_, i) => i);
  const text = latin1ToText(long, 1, 299_999);
  expect(text.length).toBe(299_998);
  expect(text.charCodeAt(8_192)).toBe(8_193 % 256);
});

test("UTF-8 both ways", () => {
  expect([...textToUtf8("é")]).toEqual([0xc3, 0xa9]);
  expect(utf8ToText(Uint8Array.of(0xc3, 0xa9))).toBe("é");
});

test("pieces are joined in memory of their own", () => {
  const piece = Uint8Array.of(1, 2);
  const whole = concat([piece, new Uint8Array(0), Uint8Array.of(3)]);
  piece[0] = 9;
  expect([...whole]).toEqual([1, 2, 3]);
  expect(whole.buffer.byteLength).toBe(3);
});
