// transport suite ← [case] : helpers of the cases, independent of any test runner

import { concat } from "../base/octets.ts";
import type { ByteStream } from "../transports/byte-stream.ts";

/** A case, which is run with a pair of streams. */
export type Case = (a: ByteStream, b: ByteStream) => Promise<void>;

/** Big enough to fill the buffers between two ends in a few writes. */
export const CHUNK = 65_536;
/** If so many chunks do not make a write wait, nothing will. */
export const MAX_CHUNKS = 4_096;
/** A call that has not settled after so many turns is waiting for the other end. */
export const PATIENCE = 25;

/** @throws Error that says what is wrong. */
export function assert(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** Bytes that depend on their position: no two runs of a few hundred are the same. */
export function pattern(length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i + (i >> 8) * 7 + (i >> 16) * 31) & 0xff;
  return bytes;
}

/** Reads at least `length` bytes, or up to the end. */
export async function readSome(stream: ByteStream, length: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for (let read = 0; read < length; ) {
    const chunk = await stream.read();
    if (chunk === null) break;
    assert(chunk instanceof Uint8Array, "read() resolves to Uint8Arrays and, at the end, null");
    assert(chunk.length > 0, "read() never resolves to an empty chunk");
    chunks.push(chunk);
    read += chunk.length;
  }
  return concat(chunks);
}

/** @throws Error unless the bytes are the same. */
export function assertSame(got: Uint8Array, expected: Uint8Array): void {
  assert(got.length === expected.length, `wrote ${expected.length} bytes, read ${got.length}`);
  const at = got.findIndex((byte, i) => byte !== expected[i]);
  assert(at === -1, `byte ${at} is ${got[at]}, not ${expected[at]}`);
}

/** The value of a promise, or that it rejected. */
export async function outcome<T>(promise: Promise<T>): Promise<{ value: T } | "rejected"> {
  try {
    return { value: await promise };
  } catch {
    return "rejected";
  }
}
