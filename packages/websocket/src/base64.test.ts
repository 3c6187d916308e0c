import { expect, test } from "vitest";
import { base64 } from "./base64.ts";

test("is what Buffer writes, for every length up to 100", () => {
  for (let length = 0; length <= 100; length++) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 97 + length * 3) & 0xff);
    expect(base64(bytes), `${length} bytes`).toBe(Buffer.from(bytes).toString("base64"));
  }
});

test("has a digit for each of the 64 values", () => {
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(base64(bytes)).toBe(Buffer.from(bytes).toString("base64"));
});
