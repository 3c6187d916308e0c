import type { Duplex } from "node:stream";
import { type ByteStream, type Io, ManualClock, memoryPair, tunnel } from "@upgrade/core/io";
import { afterEach, describe, expect, test } from "vitest";
import { bytes } from "../../src/messages.ts";
import {
  destroyPairs,
  duplexPair,
  PAIRS,
  type Pair,
  tcpPair,
  webPair,
} from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { partsOf } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

/** Every transport with itself, and TCP with each of the others. */
const JOINTS: { name: string; make(): Promise<[Pair, Pair]> }[] = [
  ...PAIRS.map(({ name, make }) => ({
    name: `${name} with ${name}`,
    make: async () => [await make(), await make()] as [Pair, Pair],
  })),
  ...PAIRS.slice(2).map(({ name, make }) => ({
    name: `TCP with ${name}`,
    make: async () => [await tcpPair(), await make()] as [Pair, Pair],
  })),
];

describe.each(JOINTS)("$name", ({ make }) => {
  const joined = async () => {
    const [[a, farA], [b, farB]] = await make();
    return { a, b, left: new ScriptedPeer(farA), right: new ScriptedPeer(farB) };
  };

  test("bytes already read are sent first, then both ways, until both sides end", async () => {
    const unhandled = watchUnhandled();
    const { a, b, left, right } = await joined();
    const done = tunnel(partsOf(a, "from a, "), partsOf(b, "from b, "));
    await left.send("more of a");
    await right.send("more of b");
    expect(await right.read(17)).toBe("from a, more of a");
    expect(await left.read(17)).toBe("from b, more of b");
    await left.end();
    expect(await right.readToEnd()).toBe("");
    await right.send(" and the last");
    expect(await left.read(13)).toBe(" and the last");
    await right.end();
    expect(await left.readToEnd()).toBe("");
    expect(await done).toEqual({ aToB: 17, bToA: 30, endedBy: "a" });
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("half-close in the other order", async () => {
    const { a, b, left, right } = await joined();
    const done = tunnel(partsOf(a), partsOf(b));
    await right.end();
    expect(await left.readToEnd()).toBe("");
    await left.send("still here");
    expect(await right.read(10)).toBe("still here");
    await left.end();
    expect(await right.readToEnd()).toBe("");
    expect(await done).toEqual({ aToB: 10, bToA: 0, endedBy: "b" });
  });

  test.each(["a", "b"] as const)("L18: a reset of %s aborts both", async (side) => {
    const unhandled = watchUnhandled();
    const { a, b, left, right } = await joined();
    const done = tunnel(partsOf(a), partsOf(b));
    const [broken, other] = side === "a" ? [left, right] : [right, left];
    await broken.send("before");
    expect(await other.read(6)).toBe("before");
    broken.reset();
    expect(await done).toMatchObject({ endedBy: side });
    await Promise.race([other.failed(), other.readToEnd()]);
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("L18: the signal aborts both", async () => {
    const { a, b, left, right } = await joined();
    const controller = new AbortController();
    const done = tunnel(partsOf(a), partsOf(b), { signal: controller.signal });
    await left.send("before");
    await right.read(6);
    controller.abort("enough");
    expect(await done).toMatchObject({
      aToB: 6,
      bToA: 0,
      endedBy: "signal",
      error: { code: "ABORTED", cause: "enough" },
    });
    await Promise.all([left.readToLast(), right.readToLast()]);
  });
});

describe("an end that was already consumed", () => {
  test("counts: the other side is ended at once, after the bytes already read", async () => {
    const [a, farA] = duplexPair();
    const [b, farB] = duplexPair();
    const right = new ScriptedPeer(farB);
    const left = new ScriptedPeer(farA);
    const done = tunnel(partsOf(a, "last words", true), partsOf(b));
    expect(await right.readToEnd()).toBe("last words");
    await right.end();
    expect(await left.readToEnd()).toBe("");
    expect(await done).toEqual({ aToB: 10, bToA: 0, endedBy: "a" });
  });

  test("on both sides", async () => {
    const [a, farA] = webPair();
    const [b, farB] = memoryPair();
    const done = tunnel(partsOf(a as never, "from a", true), partsOf(b, "from b", true));
    const [left, right] = [new ScriptedPeer(farA as never), new ScriptedPeer(farB)];
    await Promise.all([left.end(), right.end()]);
    expect([await right.readToEnd(), await left.readToEnd()]).toEqual(["from a", "from b"]);
    expect(await done).toEqual({ aToB: 6, bToA: 6, endedBy: "a" });
  });
});

describe("back-pressure", () => {
  /** Writes continuously; returns how much was accepted. */
  function pour(stream: ByteStream): { accepted: number } {
    const poured = { accepted: 0 };
    void (async () => {
      for (;;) {
        await stream.write([new Uint8Array(1_024)]);
        poured.accepted += 1_024;
      }
    })().catch(() => {});
    return poured;
  }

  test.each(["a", "b"] as const)("a slow reader holds back %s, and loses nothing", async (from) => {
    const [near, fast] = memoryPair(1_024);
    const [far, slow] = memoryPair(1_024);
    const [a, b] = from === "a" ? [near, far] : [far, near];
    void tunnel(partsOf(a), partsOf(b), { highWaterBytes: 4_096 });
    const poured = pour(fast);
    await turns(20);
    const held = poured.accepted;
    expect(held).toBeGreaterThan(0);
    // Two lanes of 1,024, the tunnel's 4,096, and the chunk that each of them went over with.
    expect(held).toBeLessThanOrEqual(4_096 + 2 * 1_024 + 3 * 1_024);
    let read = 0;
    while (read < 200_000) {
      const chunk = await slow.read();
      read += chunk!.length;
      expect(poured.accepted - read).toBeLessThanOrEqual(9_216);
    }
    await turns(20);
    expect(poured.accepted).toBeGreaterThan(200_000);
    near.abort("enough");
  });

  test("over TCP a slow reader holds back a fast writer", async () => {
    const [a, fast] = await tcpPair();
    const [b, slow] = memoryPair(1_024);
    void tunnel(partsOf(a), partsOf(b), { highWaterBytes: 16_384 });
    const total = 32 * 1_048_576;
    fast.write(Buffer.alloc(total));
    await turns(200);
    // The kernel and the stream buffer some; the rest waits at the writer.
    expect(fast.writableLength).toBe(total);
    expect(a.readableFlowing).toBe(false);
    slow.abort("enough");
  });

  test("readBuf counts, too: nothing is read after one that fills the other side", async () => {
    const [near, fast] = memoryPair(1);
    const [far, slow] = memoryPair(1);
    const calls: string[] = [];
    const watched: ByteStream = {
      ...bareStream(near),
      read() {
        calls.push("read");
        return near.read();
      },
    };
    void tunnel(partsOf(watched, "x".repeat(100)), partsOf(far), { highWaterBytes: 100 });
    void fast.write([bytes("more")]).catch(() => {});
    await turns();
    expect(calls).toEqual([]);
    expect((await slow.read())?.length).toBe(100);
    await turns();
    expect(calls).not.toEqual([]);
    near.abort("enough");
  });
});

describe("what it does not do", () => {
  test("an aborted signal moves nothing", async () => {
    const [[a, farA], [b, farB]] = [memoryPair(), memoryPair()];
    const clock = new ManualClock();
    const signal = AbortSignal.abort("no");
    const end = await tunnel(partsOf(a, "early"), partsOf(b), { signal, idleMs: 1_000, clock });
    expect(clock.pending).toBe(0);
    expect(end).toMatchObject({ endedBy: "signal", error: { code: "ABORTED", cause: "no" } });
    await expect(farA.read()).rejects.toThrow();
    await expect(farB.read()).rejects.toThrow();
  });

  test("a late signal touches nothing", async () => {
    const controller = new AbortController();
    const [[a, farA], [b, farB]] = [memoryPair(), memoryPair()];
    const done = tunnel(partsOf(a), partsOf(b), { signal: controller.signal });
    await Promise.all([farA.closeWrite(), farB.closeWrite()]);
    const end = await done;
    controller.abort();
    expect(end).toEqual({ aToB: 0, bToA: 0, endedBy: "a" });
    expect([await farA.read(), await farB.read()]).toEqual([null, null]);
  });

  test("an io with another reader is left alone, and the other side is aborted", async () => {
    const [a, farA] = memoryPair();
    const [b] = duplexPair();
    b.resume();
    const before = b.eventNames();
    await expect(tunnel(partsOf(a), partsOf(b))).rejects.toThrow(
      expect.objectContaining({ code: "INVALID_IO" }),
    );
    expect([b.destroyed, b.eventNames()]).toEqual([false, before]);
    await expect(farA.read()).rejects.toThrow();
  });

  test("an invalid option is refused, and both sides are aborted, a promised one later", async () => {
    const [a, farA] = memoryPair();
    const [b, farB] = await tcpPair();
    const right = new ScriptedPeer(farB);
    let arrive!: (io: Io) => void;
    const promised = new Promise<Io>((resolve) => {
      arrive = resolve;
    });
    await expect(tunnel(a, promised, { idleMs: -1 })).rejects.toThrow(
      expect.objectContaining({ code: "INVALID_OPTION" }),
    );
    await expect(farA.read()).rejects.toThrow();
    arrive(b);
    expect(await right.failed()).toMatchObject({ code: "ECONNRESET" });
  });

  test("a side that closes with its end: pending bytes are flushed, and both end", async () => {
    const [a, farA] = await tcpPair();
    const [b, farB] = memoryPair(1);
    const done = tunnel(partsOf(a), partsOf(b));
    farA.end("last words");
    await turns();
    a.destroy();
    const right = new ScriptedPeer(farB);
    expect(await right.readToEnd()).toBe("last words");
    await right.end();
    expect(await done).toMatchObject({ aToB: 10, endedBy: "a" });
  });
});

const NOTHING = new Uint8Array(0);

test("a side of a tunnel that is destroyed after its end is not a failure", async () => {
  const [a, peerOfA] = duplexPair();
  const [b, peerOfB] = duplexPair();
  const parts = (io: Duplex) => ({ io, readBuf: NOTHING, readEnded: false });
  const end = tunnel(parts(a), parts(b));
  peerOfA.resume().end();
  peerOfB.resume();
  await turns();
  a.destroy();
  expect(await end).toMatchObject({ endedBy: "a" });
});
