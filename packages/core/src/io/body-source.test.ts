import { expect, test } from "vitest";
import { bodySource, toOctets } from "./body-source.ts";

// As in browsers whose ReadableStream is no async iterable.
function readerOf(chunks: string[]) {
  const canceled: unknown[] = [];
  const reader = {
    read: async () => ({ done: chunks.length === 0, value: chunks.shift() }),
    cancel: async (reason: unknown) => void canceled.push(reason),
    releaseLock: () => {},
  };
  return { canceled, stream: { getReader: () => reader } };
}

test("a ReadableStream that cannot be iterated is read by its reader", async () => {
  const { stream } = readerOf(["a", "b"]);
  const iterator = bodySource(stream).begin();
  expect(await iterator.next()).toEqual({ done: false, value: "a" });
  expect(await iterator.next()).toEqual({ done: false, value: "b" });
  expect(await iterator.next()).toEqual({ done: true, value: undefined });
});

test("and cancelled when nobody wants the rest", async () => {
  const { stream, canceled } = readerOf(["a", "b"]);
  const iterator = bodySource(stream).begin();
  await iterator.next();
  expect(await iterator.return!()).toEqual({ done: true, value: undefined });
  expect(canceled).toHaveLength(1);
});

test("a piece may be an ArrayBuffer", () => {
  expect(toOctets(Uint8Array.of(1, 2).buffer)).toEqual(Uint8Array.of(1, 2));
});

test("what only says that it is an ArrayBuffer is none", () => {
  const said = { [Symbol.toStringTag]: "ArrayBuffer" };
  expect(() => toOctets(said)).toThrow(expect.objectContaining({ code: "INVALID_BODY" }));
});
