import { handshake as connectTo } from "@upgrade/client";
import { type LimitName, resolveLimits } from "@upgrade/core";
import { ManualClock, memoryPair } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { head } from "../../src/messages.ts";
import { rejection, standing } from "../../src/promises.ts";
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
    expect(await standing(near.read())).toBe("pending");
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
