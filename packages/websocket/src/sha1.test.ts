import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { sha1 } from "./sha1.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const ofNode = (message: Uint8Array): string => createHash("sha1").update(message).digest("hex");

test("is what node:crypto computes, for every length up to five blocks", () => {
  for (let length = 0; length <= 5 * 64; length++) {
    const message = Uint8Array.from({ length }, (_, i) => (i * 151 + length) & 0xff);
    expect(hex(sha1(message)), `${length} bytes`).toBe(ofNode(message));
  }
});

test.each([0x00, 0x80, 0xff])("is what node:crypto computes for 10,000 bytes of %i", (octet) => {
  const message = new Uint8Array(10_000).fill(octet);
  expect(hex(sha1(message))).toBe(ofNode(message));
});

test.each([
  ["abc", "a9993e364706816aba3e25717850c26c9cd0d89d"],
  ["", "da39a3ee5e6b4b0d3255bfef95601890afd80709"],
])("has the published digest of %j", (text, digest) => {
  expect(hex(sha1(new TextEncoder().encode(text)))).toBe(digest);
});

test("leaves the message as it was", () => {
  const message = Uint8Array.of(1, 2, 3);
  sha1(message);
  expect([...message]).toEqual([1, 2, 3]);
});
