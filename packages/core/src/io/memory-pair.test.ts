import { expect, test } from "vitest";
import { memoryPair } from "./memory-pair.ts";

test("one read at a time: a second one rejects, and the first still gets the bytes", async () => {
  const [a, b] = memoryPair();
  const first = a.read();
  await expect(a.read()).rejects.toThrow("a read is pending");
  await b.write([Uint8Array.of(1)]);
  expect(await first).toEqual(Uint8Array.of(1));
});

test("nothing is written after the end", async () => {
  const [a] = memoryPair();
  await a.closeWrite();
  await expect(a.write([Uint8Array.of(1)])).rejects.toThrow("written after the end");
});
