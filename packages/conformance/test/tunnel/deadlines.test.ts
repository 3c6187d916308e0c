import { Duplex } from "node:stream";
import { ManualClock, memoryPair, tunnel } from "@upgrade/core/io";
import { afterEach, describe, expect, test } from "vitest";
import { bytes } from "../../src/messages.ts";
import { destroyPairs, duplexPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { partsOf } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

describe("idleMs", () => {
  const start = async (idleMs: number, highWaterBytes = 1_024) => {
    const clock = new ManualClock();
    const [a, farA] = memoryPair(1_024);
    const [b, farB] = memoryPair(2_048);
    const done = tunnel(partsOf(a), partsOf(b), { idleMs, clock, highWaterBytes });
    return { clock, done, left: farA, right: farB };
  };

  test("aborts both when nothing moved for that long, in either direction", async () => {
    const { clock, done, left, right } = await start(1_000);
    clock.advance(999);
    await left.write([bytes("x")]);
    await right.read();
    clock.advance(999);
    await right.write([bytes("y")]);
    await left.read();
    await turns();
    clock.advance(999);
    await turns();
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await done).toMatchObject({ aToB: 1, bToA: 1, endedBy: "idle" });
    await expect(left.read()).rejects.toThrow();
    await expect(right.read()).rejects.toThrow();
  });

  test("what a slow reader reads after the other's end counts, too", async () => {
    const { clock, done, left, right } = await start(1_000, 65_536);
    for (let i = 0; i < 3; i++) await left.write([new Uint8Array(1_000)]);
    await left.closeWrite();
    await turns();
    clock.advance(999);
    await right.read();
    await turns();
    clock.advance(999);
    expect(clock.pending).toBe(1);
    await right.read();
    await right.read();
    expect(await right.read()).toBe(null);
    await right.closeWrite();
    expect(await done).toEqual({ aToB: 3_000, bToA: 0, endedBy: "a" });
    expect(clock.pending).toBe(0);
  });

  test("is an hour by default, and 0 is off", async () => {
    const { clock: never } = await start(0);
    expect(never.pending).toBe(0);
    const clock = new ManualClock();
    const done = tunnel(memoryPair()[0], memoryPair()[0], { clock });
    clock.advance(3_599_999);
    expect(clock.pending).toBe(1);
    clock.advance(1);
    expect(await done).toMatchObject({ endedBy: "idle", stalled: "both" });
  });
});

describe("the side that stalled", () => {
  const begin = () => {
    const clock = new ManualClock();
    const [a, left] = memoryPair(1_024);
    const [b, right] = memoryPair(1_024);
    const done = tunnel(a, b, { idleMs: 1_000, clock });
    return { clock, done, left, right, sides: { a: left, b: right } };
  };

  test.each([
    ["a", "b"],
    ["b", "a"],
  ] as const)("is %s if it does not read what %s sent", async (stalled, from) => {
    const { clock, done, sides } = begin();
    await sides[from].write([new Uint8Array(1_000)]);
    void sides[from].write([new Uint8Array(1_000)]).catch(() => {});
    await turns();
    clock.advance(1_000);
    const end = await done;
    expect(end).toMatchObject({ endedBy: "idle", stalled });
    expect(end.error?.message).toContain(`idleMs: ${stalled} did not read`);
  });

  test("is the one that sent nothing, after the other has ended", async () => {
    for (const stalled of ["a", "b"] as const) {
      const { clock, done, sides } = begin();
      await sides[stalled === "a" ? "b" : "a"].closeWrite();
      await turns();
      clock.advance(1_000);
      expect(await done).toMatchObject({ endedBy: "idle", stalled });
    }
  });

  test("is both if neither reads", async () => {
    const { clock, done, left, right } = begin();
    for (const one of [left, right, left, right]) {
      void one.write([new Uint8Array(1_000)]).catch(() => {});
    }
    await turns();
    clock.advance(1_000);
    const end = await done;
    expect(end.stalled).toBe("both");
    expect(end.error?.message).toContain("both did not read");
  });

  test("is the one that did not close, after both have ended", async () => {
    const clock = new ManualClock();
    const [a, left] = memoryPair();
    const stuck = new Duplex({
      read() {},
      write: (_chunk, _encoding, accepted) => accepted(),
      final: () => {},
    });
    const done = tunnel(a, stuck, { idleMs: 1_000, clock });
    stuck.push(null);
    await left.closeWrite();
    await turns();
    clock.advance(1_000);
    const end = await done;
    expect(end).toMatchObject({ endedBy: "idle", stalled: "b" });
    expect(end.error?.message).toContain("b did not close");
  });

  test("is one that has not arrived", async () => {
    const clock = new ManualClock();
    const [a, left] = memoryPair();
    const done = tunnel(a, new Promise(() => {}), { idleMs: 1_000, clock });
    await left.closeWrite();
    await turns();
    clock.advance(1_000);
    const end = await done;
    expect(end).toMatchObject({ endedBy: "idle", stalled: "b" });
    expect(end.error?.message).toContain("b has not arrived");
  });
});

describe("the last bytes, when both sides have ended", () => {
  const unread = (clock: ManualClock) => {
    const [a, farA] = memoryPair();
    const [b, farB] = duplexPair();
    const done = tunnel(partsOf(a, "x".repeat(65_536)), b, { idleMs: 1_000, clock });
    farB.end();
    void farA.closeWrite();
    return { done, b, farB };
  };

  test("a peer that does not read them is aborted by the idle deadline", async () => {
    const clock = new ManualClock();
    const { done, b } = unread(clock);
    await turns();
    expect(clock.pending).toBe(1);
    clock.advance(1_000);
    expect(await done).toMatchObject({ aToB: 65_536, endedBy: "idle", error: { code: "ABORTED" } });
    expect(b.destroyed).toBe(true);
  });

  test("a peer that resets instead of reading them: that is a failure", async () => {
    const { done, farB } = unread(new ManualClock());
    await turns();
    farB.destroy(new Error("reset"));
    expect(await done).toMatchObject({ error: { code: "TRANSPORT_FAILED" } });
  });

  test("a peer that reads them late gets all of them", async () => {
    const clock = new ManualClock();
    const { done, farB } = unread(clock);
    await turns();
    const right = new ScriptedPeer(farB);
    expect((await right.readToEnd()).length).toBe(65_536);
    expect(await done).toMatchObject({ aToB: 65_536, bToA: 0 });
    expect(clock.pending).toBe(0);
  });
});
