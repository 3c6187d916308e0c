import { expect, test } from "vitest";
import { textFrame } from "../src/frames.ts";

test("frames a text like the example in RFC 6455 §5.7", () => {
  expect(textFrame("Hello")).toEqual(Buffer.from([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]));
});

test("frames a longer text in UTF-8 with a two-byte length", () => {
  const frame = textFrame("é".repeat(100));
  expect([...frame.subarray(0, 4)]).toEqual([0x81, 126, 0, 200]);
  expect(frame.subarray(4).toString()).toBe("é".repeat(100));
});
