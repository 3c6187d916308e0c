import { expect, test } from "vitest";
import { memoryPair } from "./memory-pair.ts";

test("a second concurrent read rejects, and the first still gets the bytes", async () => {
  const [a, b] = memoryPair();
  const first = a.read();
  await expect(a.read()).rejects.toThrow("a read is pending");
  await b.write([Uint8Array.of(1)]);
  expect(await first).toEqual(Uint8Array.of(1));
});

test("a write after the end rejects", async () => {
  const [a] = memoryPair();
  await a.closeWrite();
  await expect(a.write([Uint8Array.of(1)])).rejects.toThrow("write after end");
});
