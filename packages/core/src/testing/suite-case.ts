// transport suite ← [case] : what a case is made of; no test runner in it

import type { ByteStream } from "../io/byte-stream.ts";
import { concat } from "../octets.ts";

/** A case, before it is given its pair. */
export type Case = (a: ByteStream, b: ByteStream) => Promise<void>;

/** Big enough to fill what lies between two ends, in not too many writes. */
export const CHUNK = 65_536;
/** A writer that was never held back by so many chunks is held back by nothing. */
export const MOST_CHUNKS = 4_096;
/** Turns after which a call that has not settled waits for somebody. */
export const PATIENCE = 25;

/** @throws Error that says what was wrong. */
export function assert(holds: boolean, otherwise: string): asserts holds {
  if (!holds) throw new Error(otherwise);
}

/** Bytes that tell their place: no two stretches of a few hundred are the same. */
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
    assert(chunk instanceof Uint8Array, "read() gives Uint8Arrays and, at the end, null");
    assert(chunk.length > 0, "read() never gives an empty chunk");
    chunks.push(chunk);
    read += chunk.length;
  }
  return concat(chunks);
}

/** @throws Error unless the bytes are the same. */
export function assertSame(came: Uint8Array, expected: Uint8Array): void {
  assert(came.length === expected.length, `${expected.length} bytes went in, ${came.length} came`);
  const at = came.findIndex((byte, i) => byte !== expected[i]);
  assert(at === -1, `byte ${at} is ${came[at]}, not ${expected[at]}`);
}

/** What became of a promise: its value, or that it rejected. */
export async function outcome<T>(promise: Promise<T>): Promise<{ value: T } | "rejected"> {
  try {
    return { value: await promise };
  } catch {
    return "rejected";
  }
}
