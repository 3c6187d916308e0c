import { expect, test } from "vitest";
import { bodySource, toOctets } from "./body-source.ts";

// As in browsers whose ReadableStream is not async iterable.
function readerOf(chunks: string[]) {
  const canceled: unknown[] = [];
  const reader = {
    read: async () => ({ done: chunks.length === 0, value: chunks.shift() }),
    cancel: async (reason: unknown) => void canceled.push(reason),
    releaseLock: () => {},
  };
  return { canceled, stream: { getReader: () => reader } };
}

test("a ReadableStream that is not iterable is read through its reader", async () => {
  const { stream } = readerOf(["a", "b"]);
  const iterator = bodySource(stream).begin();
  expect(await iterator.next()).toEqual({ done: false, value: "a" });
  expect(await iterator.next()).toEqual({ done: false, value: "b" });
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test("and canceled when the rest is not wanted", async () => {
  const { stream, canceled } = readerOf(["a", "b"]);
  const iterator = bodySource(stream).begin();
  await iterator.next();
  expect(await iterator.return!()).toEqual({ done: true, value: undefined });
  expect(canceled).toHaveLength(1);
});

test("a piece may be an ArrayBuffer", () => {
  expect(toOctets(Uint8Array.of(1, 2).buffer)).toEqual(Uint8Array.of(1, 2));
});

test("an object that only claims to be an ArrayBuffer is refused", () => {
  const fake = { [Symbol.toStringTag]: "ArrayBuffer" };
  expect(() => toOctets(fake)).toThrow(expect.objectContaining({ code: "INVALID_BODY" }));
});
