import { ManualClock, memoryPair } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { head } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { turns } from "../../src/turns.ts";

describe("L13 in time: writeProgressMs", () => {
  // The far end reads nothing, so a write is accepted only up to the capacity of the pair.
  const stalled = async (options = {}) => {
    const [near, far] = memoryPair(1_000);
    const clock = new ManualClock();
    const body = "x".repeat(3_000);
    const { connection } = await serveOn(near, () => ({ status: 200, body }), {
      clock,
      ...options,
    });
    await far.write([Buffer.from(head("GET /", "Connection: close"))]);
    await turns();
    return { far, clock, connection };
  };

  test("a peer that reads nothing is aborted", async () => {
    const { clock, connection } = await stalled();
    const over = connection.run();
    clock.advance(29_999);
    expect(await stateOf(over)).toBe("pending");
    clock.advance(1);
    expect(await rejection(over)).toBe("WRITE_TIMEOUT");
    expect(connection.closeReason).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
  });

  test("a slow reader of the last response is not cut off by lingerMs", async () => {
    const { far, clock, connection } = await stalled();
    clock.advance(20_000);
    await turns();
    expect(connection.closeReason).toMatchObject({ kind: "not-persistent" });
    let read = 0;
    for (let chunk = await far.read(); chunk !== null; chunk = await far.read())
      read += chunk.length;
    expect(read).toBeGreaterThan(3_000);
    await turns();
    clock.advance(2_000);
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });

  test("a reset before the last byte of the last response is a failure", async () => {
    const { far, connection } = await stalled();
    const over = connection.run();
    far.abort(new Error("reset"));
    expect(await rejection(over)).toBe("TRANSPORT_FAILED");
  });

  test("a streamed body waits for the transport, and fails with it", async () => {
    const [near, far] = memoryPair(1_000);
    const clock = new ManualClock();
    let made = 0;
    async function* body() {
      for (;;) {
        made += 1_000;
        yield "x".repeat(1_000);
      }
    }
    const { connection } = await serveOn(near, () => ({ status: 200, body: body() }), {
      clock,
      writeHighWaterBytes: 5_000,
    });
    await far.write([Buffer.from(head("GET /"))]);
    await turns(50);
    expect(made).toBeLessThanOrEqual(7_000);
    clock.advance(30_000);
    expect(await connection.closed).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
  });
});

test("L13: each accepted write restarts writeProgressMs, if there is no minimum speed", async () => {
  const [near, far] = memoryPair();
  const accept: (() => void)[] = [];
  const io = {
    ...bareStream(near),
    write: () => new Promise<void>((resolve) => void accept.push(resolve)),
  };
  async function* body() {
    for (let i = 0; i < 3; i++) {
      yield "piece";
      await turns();
    }
  }
  const clock = new ManualClock();
  const { connection } = await serveOn(io, () => ({ status: 200, body: body() }), {
    clock,
    idleMs: 0,
    minBodyBytesPerSecond: 0,
  });
  await far.write([Buffer.from(head("GET /"))]);
  await turns(30);
  expect(accept.length).toBeGreaterThan(2);
  for (let i = 0; i < 2; i++) {
    clock.advance(29_999);
    accept.shift()!();
    await turns();
  }
  expect(connection.closeReason).toBe(undefined);
  clock.advance(29_999);
  expect(connection.closeReason).toBe(undefined);
  clock.advance(1);
  expect(await connection.closed).toMatchObject({ error: { code: "WRITE_TIMEOUT" } });
});
