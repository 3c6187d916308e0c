// transport suite ← [flow] : bytes in order, back-pressure, reads that are withdrawn

import type { ByteStream } from "../io/byte-stream.ts";
import { concat } from "../octets.ts";
import {
  assert,
  assertSame,
  type Case,
  CHUNK,
  MOST_CHUNKS,
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
  const [came] = await Promise.all([readSome(b, 70_004), a.write(chunks)]);
  assertSame(came, concat(chunks));
}

async function manySmall(a: ByteStream, b: ByteStream): Promise<void> {
  const all = pattern(1_000);
  const writes = Array.from(all, (_, i) => a.write([all.subarray(i, i + 1)]));
  assertSame(await readSome(b, all.length), all);
  await Promise.all(writes);
}

async function oneBig(a: ByteStream, b: ByteStream): Promise<void> {
  const all = pattern(1_048_576);
  const [came] = await Promise.all([readSome(b, all.length), a.write([all])]);
  assertSame(came, all);
}

async function noEmptyChunk(a: ByteStream, b: ByteStream): Promise<void> {
  const empty = new Uint8Array(0);
  const said = [a.write([empty, pattern(1), empty]), a.write([empty]), a.closeWrite()];
  assertSame(await readSome(b, 2), pattern(1));
  await Promise.all(said);
}

async function backPressure(a: ByteStream, b: ByteStream): Promise<void> {
  const chunk = pattern(CHUNK);
  const writes: Promise<void>[] = [];
  for (let held = false; !held; ) {
    assert(writes.length < MOST_CHUNKS, "a write that nobody reads never waits");
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
    const came = await b.read();
    assert(came !== null, "the end came in front of bytes that were written");
    for (const byte of came) assert(byte === chunk[read++ % CHUNK], `byte ${read - 1} is ${byte}`);
  }
  await Promise.all(writes);
}

async function cancelledRead(a: ByteStream, b: ByteStream): Promise<void> {
  if (b.cancelRead === undefined) return;
  const withdrawn = outcome(b.read());
  await turns(1);
  if (!b.cancelRead()) {
    const [came] = await Promise.all([withdrawn, a.write([pattern(9)])]);
    assert(came !== "rejected" && came.value !== null, "a read that was not withdrawn goes on");
    return;
  }
  assert((await withdrawn) === "rejected", "a read that was withdrawn rejects");
  const [came] = await Promise.all([readSome(b, 9), a.write([pattern(9)])]);
  assertSame(came, pattern(9));
}

// A read may be withdrawn at the very moment its bytes come: then it brings them, or the next one.
async function cancelledOnArrival(a: ByteStream, b: ByteStream): Promise<void> {
  if (b.cancelRead === undefined) return;
  const all = pattern(40);
  const came: Uint8Array[] = [];
  for (let i = 0; i < all.length; i++) {
    const first = outcome(b.read());
    const write = a.write([all.subarray(i, i + 1)]);
    await microtasks(i % 20);
    b.cancelRead();
    const result = await first;
    const chunk = result === "rejected" ? await b.read() : result.value;
    assert(chunk !== null, "a read that is withdrawn does not end the stream");
    came.push(chunk);
    await write;
  }
  assertSame(concat(came), all);
}

export const FLOW: Record<string, Case> = {
  "bytes arrive in order, both ways at once": bothWays,
  "the chunks of one write arrive in order": chunksOfOneWrite,
  "many small writes, none awaited, arrive in order": manySmall,
  "one big write arrives whole": oneBig,
  "an empty chunk is never read": noEmptyChunk,
  "a write waits while nobody reads, and resolves when somebody does": backPressure,
  "a read that is withdrawn loses nothing": cancelledRead,
  "a read that is withdrawn while its bytes come loses nothing": cancelledOnArrival,
};
