import { handshake as connectTo, upgrade } from "@upgrade/client";
import { type LimitName, resolveLimits } from "@upgrade/core";
import { type Clock, ManualClock, memoryPair, systemClock, tunnel } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, head } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns } from "../../src/turns.ts";

const OK = () => ({ status: 200 });

describe("options", () => {
  const names = Object.keys(resolveLimits()) as LimitName[];

  test.each(names)("%s is checked at the handshake, and the io is untouched", async (name) => {
    const [near] = memoryPair();
    const wrong = name.endsWith("Ms") ? Infinity : 1.5;
    for (const value of [-1, Number.NaN, wrong, "7" as unknown as number]) {
      const options = { [name]: value };
      expect(await rejection(connectTo(near, options))).toBe("INVALID_OPTION");
      expect(await rejection(serveOn(near, OK, options))).toBe("INVALID_OPTION");
    }
    expect(await stateOf(near.read())).toBe("pending");
  });

  const deadlines = names.filter((name) => name.endsWith("Ms"));

  test("0 disables each deadline: no timer is set, whatever is awaited", async () => {
    const off = Object.fromEntries(deadlines.map((name) => [name, 0]));
    const { peer, clock } = await serve(async (request) => {
      await request.body.bytes();
      return { status: 200 };
    }, off);
    expect(clock.pending).toBe(0);
    await peer.send(`${head("POST /", "Content-Length: 2")}x`);
    await turns();
    expect(clock.pending).toBe(0);
    await peer.send("x");
    await peer.readHead();
    await peer.send("GET");
    await turns();
    expect(clock.pending).toBe(0);
  });

  test("a deadline beyond a platform timer's range does not expire at once", async () => {
    const clock = new ManualClock();
    const set: number[] = [];
    const [near] = memoryPair();
    await serveOn(near, OK, {
      headMs: 2 ** 40,
      clock: {
        now: () => clock.now(),
        setTimer: (ms, callback) => {
          set.push(ms);
          return clock.setTimer(ms, callback);
        },
        clearTimer: (timer) => clock.clearTimer(timer),
      },
    });
    expect(Math.max(...set)).toBeLessThan(2 ** 31);
    clock.advance(2 ** 32);
    expect(set.length).toBeGreaterThan(1);
  });

  test("a closed connection has no timer", async () => {
    const { peer, clock, connection } = await serve(OK);
    await peer.send(head("GET /", "Connection: close"));
    await peer.readToEnd();
    await peer.end();
    await connection.closed;
    expect(clock.pending).toBe(0);
  });
});

test("no timer of ours keeps a finished process alive", () => {
  const timer = systemClock.setTimer(1_000_000, () => {}) as NodeJS.Timeout;
  expect(timer.hasRef()).toBe(false);
  systemClock.clearTimer(timer);
});

const CHAT = { target: "/", protocol: "chat", headers: { Host: "a.test" } };
const LONGEST_TIMER_MS = 2 ** 31 - 1;
const NO_DURATIONS = [NaN, Infinity, -1, 0.5, "5"] as number[];

/** A clock like the platform's, whose timers fire at once if the delay is out of range. */
function overflowing(clock: ManualClock): Clock {
  return {
    now: () => clock.now(),
    setTimer: (ms, callback) => clock.setTimer(ms > LONGEST_TIMER_MS ? 1 : ms, callback),
    clearTimer: (timer) => clock.clearTimer(timer),
  };
}

const joined = (options: object) => {
  const [[a, farA], [b, farB]] = [memoryPair(), memoryPair()];
  const ends = [a, b].map((io) => ({ io, readBuf: new Uint8Array(0), readEnded: false }));
  return { begin: () => tunnel(ends[0]!, ends[1]!, options), peers: [farA, farB] as const };
};

describe("L13: the timeoutMs of upgrade()", () => {
  test("expires, and leaves nothing of the connection behind", async () => {
    const clock = new ManualClock();
    const [io, far] = memoryPair();
    const refused = rejection(upgrade(io, CHAT, { clock, timeoutMs: 100 }));
    const peer = new ScriptedPeer(far);
    await peer.readHead();
    clock.advance(99);
    expect(await stateOf(refused)).toBe("pending");
    clock.advance(1);
    expect(await refused).toBe("ANSWER_TIMEOUT");
    await peer.failed();
    expect(clock.pending).toBe(0);
  });

  test("ends with a refusal, and the connection may be reused", async () => {
    const clock = new ManualClock();
    const [io, far] = memoryPair();
    const pending = upgrade(io, CHAT, { clock, timeoutMs: 100 });
    const peer = new ScriptedPeer(far);
    await peer.readHead();
    await peer.send(answer("403 Forbidden", "Content-Length: 0"));
    const result = await pending;
    clock.advance(200);
    expect(result.switched === false && result.sender.isReady).toBe(true);
  });

  test("ends with the switch", async () => {
    const clock = new ManualClock();
    const [io, far] = memoryPair();
    const pending = upgrade(io, CHAT, { clock, timeoutMs: 100 });
    const peer = new ScriptedPeer(far);
    await peer.readHead();
    await peer.send(answer("101 Switching Protocols", "Connection: Upgrade", "Upgrade: chat"));
    expect((await pending).switched).toBe(true);
    expect(clock.pending).toBe(0);
  });

  test("does not expire at once if it exceeds a timer's range, and 0 disables it", async () => {
    for (const timeoutMs of [2 ** 31, 0]) {
      const clock = new ManualClock();
      const [io, far] = memoryPair();
      const pending = upgrade(io, CHAT, { clock: overflowing(clock), timeoutMs });
      await new ScriptedPeer(far).readHead();
      clock.advance(60_000);
      expect(await stateOf(pending)).toBe("pending");
    }
  });

  test.each(NO_DURATIONS)(
    "of %s is refused, nothing is sent, and the io is aborted",
    async (timeoutMs) => {
      const [io, far] = memoryPair();
      expect(await rejection(upgrade(io, CHAT, { timeoutMs }))).toBe("INVALID_OPTION");
      const peer = new ScriptedPeer(far);
      await turns();
      expect([peer.unread, String(peer.failure)]).toEqual(["", "Error: aborted"]);
    },
  );
});

describe("L12, L13: an invalid duration or size is refused rather than taken as infinite:", () => {
  test.each(NO_DURATIONS)("the timeoutMs %s of close(), which then closes nothing", async (ms) => {
    const { sender, connection } = await dial();
    await expect(connection.close({ timeoutMs: ms })).rejects.toThrow(/timeoutMs is /);
    expect(sender.isReady).toBe(true);
  });

  test.each(NO_DURATIONS)("the idleMs %s of a tunnel", async (idleMs) => {
    await expect(joined({ idleMs }).begin()).rejects.toThrow(/idleMs is /);
  });

  test.each([NaN, -1, 0.5])("the highWaterBytes %s of a tunnel", async (highWaterBytes) => {
    await expect(joined({ highWaterBytes }).begin()).rejects.toThrow(/highWaterBytes is /);
  });

  test("the highWaterBytes 0 of a tunnel: pieces are queued one at a time, and all arrive", async () => {
    const { begin, peers } = joined({ highWaterBytes: 0 });
    const done = begin();
    const [a, b] = peers.map((far) => new ScriptedPeer(far));
    await a!.send("one ");
    await a!.send("two");
    expect(await b!.read(7)).toBe("one two");
    await Promise.all([a!.end(), b!.end()]);
    expect(await done).toMatchObject({ aToB: 7 });
  });
});

test("L13: close() with a timeoutMs of 0 has no deadline, and resolves when the exchange ends", async () => {
  let respond!: () => void;
  const { peer, connection, clock } = await serve(async () => {
    await new Promise<void>((resolve) => {
      respond = resolve;
    });
    return { status: 204 };
  });
  await peer.send(head("GET /"));
  await turns();
  const closed = connection.close({ timeoutMs: 0 });
  clock.advance(1_000_000);
  expect(await stateOf(closed)).toBe("pending");
  respond();
  await peer.readHead();
  await peer.end();
  expect(await closed).toMatchObject({ kind: "closed" });
});
