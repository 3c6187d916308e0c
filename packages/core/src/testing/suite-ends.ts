// transport suite ← [ends] : half-close, aborts, and that every call settles

import type { ByteStream } from "../transports/byte-stream.ts";
import {
  assert,
  assertSame,
  type Case,
  CHUNK,
  MAX_CHUNKS,
  outcome,
  PATIENCE,
  pattern,
  readSome,
} from "./suite-case.ts";
import { turns } from "./turns.ts";

async function halfClose(a: ByteStream, b: ByteStream): Promise<void> {
  const ended = [a.write([pattern(5)]), a.closeWrite()];
  assertSame(await readSome(b, Infinity), pattern(5));
  await Promise.all(ended);
  const [got] = await Promise.all([readSome(a, 1_000), b.write([pattern(1_000)])]);
  assertSame(got, pattern(1_000));
  const [end] = await Promise.all([a.read(), b.closeWrite()]);
  assert(end === null, "the end arrives in the other direction, too");
}

async function endRepeats(a: ByteStream, b: ByteStream): Promise<void> {
  const closed = a.closeWrite();
  for (let i = 0; i < 3; i++)
    assert((await b.read()) === null, "every read after the end resolves to null");
  await closed;
}

async function endAfterBytes(a: ByteStream, b: ByteStream): Promise<void> {
  const all = pattern(300_000);
  const written = a.write([all]);
  const closed = a.closeWrite();
  assertSame(await readSome(b, Infinity), all);
  await Promise.all([written, closed]);
}

async function abortIsSeen(a: ByteStream, b: ByteStream): Promise<void> {
  const pending = outcome(b.read());
  await turns(1);
  a.abort(new Error("given up"));
  assert((await pending) === "rejected", "an abort is not an end: the peer's pending read rejects");
  assert((await outcome(b.read())) === "rejected", "and so does every later one");
}

async function goneResolves(a: ByteStream, b: ByteStream): Promise<void> {
  if (b.gone === undefined) return;
  a.abort(new Error("given up"));
  await b.gone;
}

async function abortSettles(a: ByteStream): Promise<void> {
  const read = outcome(a.read());
  const write = outcome(heldWrite(a));
  await turns(PATIENCE);
  a.abort(new Error("given up"));
  assert((await read) === "rejected", "a pending read rejects when its stream is aborted");
  assert((await write) === "rejected", "a pending write rejects when its stream is aborted");
}

// Writes until the transport accepts no more.
async function heldWrite(a: ByteStream): Promise<void> {
  for (let i = 0; i < MAX_CHUNKS; i++) await a.write([pattern(CHUNK)]);
}

async function laterCalls(a: ByteStream): Promise<void> {
  a.abort(new Error("given up"));
  assert((await outcome(a.read())) === "rejected", "a read after an abort rejects");
  assert((await outcome(a.write([pattern(1)]))) === "rejected", "a write after an abort rejects");
  await outcome(a.closeWrite());
}

async function abortTwice(a: ByteStream, b: ByteStream): Promise<void> {
  const closed = [a.closeWrite(), b.closeWrite()];
  assert((await a.read()) === null && (await b.read()) === null, "both ends have ended");
  await Promise.all(closed);
  for (const stream of [a, b, a, b]) stream.abort(new Error("given up"));
  await turns(2);
}

export const ENDS: Record<string, Case> = {
  "one side ends, the other continues": halfClose,
  "every read after the end resolves to null": endRepeats,
  "everything that was written is read before the end": endAfterBytes,
  "the peer sees an abort as a failure": abortIsSeen,
  "an abort resolves the peer's gone without a read": goneResolves,
  "an abort settles pending calls": abortSettles,
  "calls after an abort settle": laterCalls,
  "an abort is harmless after the end, and twice": abortTwice,
};
