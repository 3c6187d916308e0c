// transport suite ← [flow] : bytes in order, back-pressure, canceled reads

import { concat } from "../base/octets.ts";
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
import { microtasks, turns } from "./turns.ts";

async function bothWays(a: ByteStream, b: ByteStream): Promise<void> {
  const [there, back] = [pattern(1_000), pattern(2_000).reverse()];
  const moved = await Promise.all([
    readSome(b, there.length),
    readSome(a, back.length),
    a.write([there]),
    b.write([back]),
  ]);
  assertSame(moved[0], there);
  assertSame(moved[1], back);
}

async function chunksOfOneWrite(a: ByteStream, b: ByteStream): Promise<void> {
  const chunks = [pattern(3), pattern(70_000), pattern(1)];
  const [got] = await Promise.all([readSome(b, 70_004), a.write(chunks)]);
  assertSame(got, concat(chunks));
}

async function manySmall(a: ByteStream, b: ByteStream): Promise<void> {
  const all = pattern(1_000);
  const writes = Array.from(all, (_, i) => a.write([all.subarray(i, i + 1)]));
  assertSame(await readSome(b, all.length), all);
  await Promise.all(writes);
}

async function oneBig(a: ByteStream, b: ByteStream): Promise<void> {
  const all = pattern(1_048_576);
  const [got] = await Promise.all([readSome(b, all.length), a.write([all])]);
  assertSame(got, all);
}

async function noEmptyChunk(a: ByteStream, b: ByteStream): Promise<void> {
  const empty = new Uint8Array(0);
  const sent = [a.write([empty, pattern(1), empty]), a.write([empty]), a.closeWrite()];
  assertSame(await readSome(b, 2), pattern(1));
  await Promise.all(sent);
}

async function backPressure(a: ByteStream, b: ByteStream): Promise<void> {
  const chunk = pattern(CHUNK);
  const writes: Promise<void>[] = [];
  for (let held = false; !held; ) {
    assert(writes.length < MAX_CHUNKS, "writes never wait, although the peer does not read");
    let accepted = false;
    const write = a.write([chunk]).then(() => {
      accepted = true;
    });
    writes.push(write);
    for (let i = 0; i < PATIENCE && !accepted; i++) await turns(1);
    held = !accepted;
  }
  let read = 0;
  const total = writes.length * CHUNK;
  while (read < total) {
    const got = await b.read();
    assert(got !== null, "the end was read before bytes that were written");
    for (const byte of got) assert(byte === chunk[read++ % CHUNK], `byte ${read - 1} is ${byte}`);
  }
  await Promise.all(writes);
}

async function canceledRead(a: ByteStream, b: ByteStream): Promise<void> {
  if (b.cancelRead === undefined) return;
  const canceled = outcome(b.read());
  await turns(1);
  if (!b.cancelRead()) {
    const [got] = await Promise.all([canceled, a.write([pattern(9)])]);
    assert(got !== "rejected" && got.value !== null, "a read that was not canceled continues");
    return;
  }
  assert((await canceled) === "rejected", "a canceled read rejects");
  const [got] = await Promise.all([readSome(b, 9), a.write([pattern(9)])]);
  assertSame(got, pattern(9));
}

// A read may be canceled just as its bytes arrive: then this read returns them, or the next one.
async function canceledOnArrival(a: ByteStream, b: ByteStream): Promise<void> {
  if (b.cancelRead === undefined) return;
  const all = pattern(40);
  const got: Uint8Array[] = [];
  for (let i = 0; i < all.length; i++) {
    const first = outcome(b.read());
    const write = a.write([all.subarray(i, i + 1)]);
    await microtasks(i % 20);
    b.cancelRead();
    const result = await first;
    const chunk = result === "rejected" ? await b.read() : result.value;
    assert(chunk !== null, "a canceled read does not end the stream");
    got.push(chunk);
    await write;
  }
  assertSame(concat(got), all);
}

export const FLOW: Record<string, Case> = {
  "bytes arrive in order, both ways at once": bothWays,
  "the chunks of one write arrive in order": chunksOfOneWrite,
  "many small writes, none awaited, arrive in order": manySmall,
  "one big write arrives whole": oneBig,
  "an empty chunk is never read": noEmptyChunk,
  "a write waits until the peer reads": backPressure,
  "a canceled read loses nothing": canceledRead,
  "a read that is canceled while its bytes arrive loses nothing": canceledOnArrival,
};
