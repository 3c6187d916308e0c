import { type Io, ManualClock, memoryPair, type Parts, tunnel } from "@upgrade/core/io";
import { afterEach, describe, expect, test } from "vitest";
import { destroyPairs, PAIRS, tcpPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { partsOf } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

describe("a side that is promised", () => {
  const promised = () => {
    let arrive!: (side: Parts<Io> | Io) => void;
    let fail!: (reason: unknown) => void;
    const side = new Promise<Parts<Io> | Io>((resolve, reject) => {
      arrive = resolve;
      fail = reject;
    });
    return { side, arrive, fail };
  };

  test.each(PAIRS)("over $name: a bare io is joined when it arrives", async ({ make }) => {
    const [[a, farA], [b, farB]] = [await make(), await make()];
    const [left, right] = [new ScriptedPeer(farA), new ScriptedPeer(farB)];
    const { side, arrive } = promised();
    const done = tunnel(side, b);
    void right.send("early ");
    await turns();
    arrive(partsOf(a, "first "));
    expect([await right.read(6), await left.read(6)]).toEqual(["first ", "early "]);
    await Promise.all([left.end(), right.end()]);
    expect(await done).toMatchObject({ aToB: 6, bToA: 6 });
    expect([await left.readToEnd(), await right.readToEnd()]).toEqual(["", ""]);
  });

  test("that rejects after the other side could not be joined is left alone", async () => {
    const unhandled = watchUnhandled();
    const { side, fail } = promised();
    await expect(tunnel(7 as never, side)).rejects.toMatchObject({ code: "INVALID_IO" });
    fail(new Error("too late"));
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("over TCP: nothing is read for it before it arrives, and an end is kept for it", async () => {
    const [b, farB] = await tcpPair();
    const [a, farA] = memoryPair();
    const { side, arrive } = promised();
    const done = tunnel(side, b);
    farB.end("all of it");
    await turns();
    expect(b.readableFlowing).toBe(false);
    arrive(a);
    const left = new ScriptedPeer(farA);
    expect(await left.readToEnd()).toBe("all of it");
    await left.end();
    expect(await done).toEqual({ aToB: 0, bToA: 9, endedBy: "b" });
  });

  test("an end without a byte is kept for it, too", async () => {
    const [b, farB] = await tcpPair();
    const [a, farA] = memoryPair();
    const { side, arrive } = promised();
    const done = tunnel(side, b);
    farB.end();
    await turns();
    arrive(a);
    const left = new ScriptedPeer(farA);
    expect(await left.readToEnd()).toBe("");
    await left.end();
    expect(await done).toEqual({ aToB: 0, bToA: 0, endedBy: "b" });
  });

  test("L18: and rejects: the other is aborted, and the reason is the cause", async () => {
    const unhandled = watchUnhandled();
    const [b, farB] = await tcpPair();
    const right = new ScriptedPeer(farB);
    const { side, fail } = promised();
    const done = tunnel(side, b);
    const reason = new Error("no switch");
    fail(reason);
    expect(await done).toMatchObject({
      endedBy: "a",
      error: { code: "TRANSPORT_FAILED", cause: reason },
    });
    expect(await right.failed()).toMatchObject({ code: "ECONNRESET" });
    expect(b.destroyed).toBe(true);
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test.each(PAIRS)(
    "L18: over $name: a reset of the other in the meantime aborts it when it arrives",
    async ({ make }) => {
      const unhandled = watchUnhandled();
      const [a, farA] = await make();
      const left = new ScriptedPeer(farA);
      const [b, farB] = await tcpPair();
      const { side, arrive } = promised();
      const done = tunnel(side, b);
      farB.resetAndDestroy();
      expect(await done).toMatchObject({ endedBy: "b", error: { code: "TRANSPORT_FAILED" } });
      arrive(a);
      await Promise.race([left.failed(), left.readToEnd()]);
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    },
  );

  test("and never arrives: the idle deadline ends the wait", async () => {
    const clock = new ManualClock();
    const [b, farB] = memoryPair();
    const done = tunnel(promised().side, b, { idleMs: 1_000, clock });
    clock.advance(1_000);
    expect(await done).toMatchObject({ endedBy: "idle", error: { code: "ABORTED" } });
    await expect(farB.read()).rejects.toThrow();
    expect(clock.pending).toBe(0);
  });

  test("and turns out not to be an io: the other is aborted", async () => {
    const [b, farB] = memoryPair();
    const done = tunnel(Promise.resolve({} as Io), b);
    expect(await done).toMatchObject({ endedBy: "a", error: { cause: { code: "INVALID_IO" } } });
    await expect(farB.read()).rejects.toThrow();
  });

  test("both of them", async () => {
    const [[a, farA], [b, farB]] = [memoryPair(), memoryPair()];
    const done = tunnel(Promise.resolve(a), Promise.resolve(partsOf(b, "hello")));
    expect(await new ScriptedPeer(farA).read(5)).toBe("hello");
    await farB.closeWrite();
    await farA.closeWrite();
    expect(await done).toEqual({ aToB: 0, bToA: 5, endedBy: "b" });
  });
});
