import { handshake as connectTo } from "@upgrade/client";
import { ManualClock, memoryPair } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import { response } from "../../src/ends.ts";
import { answer, latin1, POST } from "../../src/messages.ts";
import { stateOf } from "../../src/promises.ts";
import { turns } from "../../src/turns.ts";

describe("L12 bounded: a peer that reads nothing", () => {
  test("holds at most writeHighWaterBytes of a streamed body plus one piece", async () => {
    const [near, far] = memoryPair(1);
    const { sender } = await connectTo(near, {
      clock: new ManualClock(),
      writeHighWaterBytes: 100,
    });
    let made = 0;
    function* body() {
      for (let i = 0; i < 1_000; i++) {
        made += 10;
        yield "0123456789";
      }
    }
    void sender.sendRequest({ ...POST, body: body() });
    await turns();
    expect(made).toBeGreaterThan(0);
    expect(made).toBeLessThanOrEqual(110);
    far.abort(new Error("over"));
  });
});

test("a write that is accepted while others wait does not resume the body", async () => {
  const [near, far] = memoryPair(1);
  let made = 0;
  // Each piece is a separate write.
  async function* body() {
    for (let i = 0; i < 20; i++) {
      made++;
      yield "0123456789".repeat(3);
      await turns(1);
    }
  }
  const { sender } = await connectTo(near, { clock: new ManualClock(), writeHighWaterBytes: 40 });
  void sender.sendRequest({
    ...POST,
    headers: { Host: "a.test", "Content-Length": "600" },
    body: body(),
  });
  await turns(20);
  const before = made;
  expect(before).toBeLessThan(4);
  let read = 0;
  while (made === before) {
    read += (await far.read())!.length;
    await turns();
  }
  expect(read).toBeGreaterThan(60);
  far.abort(new Error("over"));
});

describe("back-pressure", () => {
  test("of an unread body, at most readAheadBytes plus one chunk are read", async () => {
    const {
      peer,
      connection,
      response: got,
    } = await response(answer("200 OK", "Content-Length: 100000"), { readAheadBytes: 5_000 });
    const before = connection.stats.bytesRead;
    for (let i = 0; i < 100; i++) void peer.send("x".repeat(1_000));
    await turns(20);
    expect(connection.stats.bytesRead - before).toBe(5_000);
    expect((await got.body.bytes()).length).toBe(100_000);
  });

  test("a waiting reader gets each chunk as it arrives, uncopied", async () => {
    const { peer, response: got } = await response(answer("200 OK", "Content-Length: 4"));
    const iterator = got.body[Symbol.asyncIterator]();
    const first = iterator.next();
    expect(await stateOf(first)).toBe("pending");
    await peer.send("ab");
    expect(latin1((await first).value!)).toBe("ab");
    await peer.send("cd");
    expect(latin1((await iterator.next()).value!)).toBe("cd");
    expect(await iterator.next()).toEqual({ done: true, value: undefined });
  });
});
