import { Duplex, Readable } from "node:stream";
import { handshake as connectTo, upgrade } from "@upgrade/client";
import { type Clock, ManualClock, memoryPair, systemClock, tunnel } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { turns } from "../../src/turns.ts";

// The caller may pass a custom clock. What it throws ends the connection, and nothing else.

type Part = keyof Clock;
const PARTS: readonly Part[] = ["now", "setTimer"];
const OK = () => ({ status: 200 });
const CHAT = { target: "/", protocol: "chat", headers: { Host: "a.test" } };
const FAILED = {
  code: "CALLBACK_FAILED",
  message: expect.stringContaining("the clock"),
  cause: expect.objectContaining({ message: "of the clock" }),
};

function thrown(): never {
  throw new Error("of the clock");
}

/** A clock with one method that throws once it is broken. */
class BrokenClock implements Clock {
  readonly #clock = new ManualClock();
  #broken: Part | undefined;

  static in(part: Part): BrokenClock {
    const clock = new BrokenClock();
    clock.break(part);
    return clock;
  }

  break(part: Part): void {
    this.#broken = part;
  }

  now(): number {
    this.#use("now");
    return this.#clock.now();
  }

  setTimer(ms: number, callback: () => void): unknown {
    this.#use("setTimer");
    return this.#clock.setTimer(ms, callback);
  }

  clearTimer(timer: unknown): void {
    this.#use("clearTimer");
    this.#clock.clearTimer(timer);
  }

  advance(ms: number): void {
    this.#clock.advance(ms);
  }

  #use(part: Part): void {
    if (part === this.#broken) thrown();
  }
}

const duplex = () => new Duplex({ read() {}, write: (_, __, accepted) => accepted() });

describe.each(PARTS)("a clock whose %s() throws", (part) => {
  test("during a server handshake returns a failed connection", async () => {
    const io = duplex();
    const reports: unknown[] = [];
    const onError = (error: unknown) => reports.push(error);
    const { connection } = await serveOn(io, OK, { clock: BrokenClock.in(part), onError });
    expect(await connection.closed).toMatchObject({ kind: "failed", error: FAILED });
    expect([io.destroyed, io.listenerCount("data")]).toEqual([true, 0]);
    expect(reports).toEqual([expect.objectContaining(FAILED)]);
  });

  test("fails upgrade(), and its body is released", async () => {
    const [near, far] = memoryPair();
    const body = new Readable({ read() {} });
    const options = { timeoutMs: 9, clock: BrokenClock.in(part) };
    await expect(upgrade(near, { ...CHAT, body }, options)).rejects.toMatchObject(FAILED);
    expect(body.destroyed).toBe(true);
    await expect(far.read()).rejects.toThrow("aborted");
  });

  test("fails the current request, and the connection", async () => {
    const clock = new BrokenClock();
    const { sender, connection } = await connectTo(memoryPair()[0], { clock });
    clock.break(part);
    await expect(sender.sendRequest(GET)).rejects.toMatchObject(FAILED);
    expect(await connection.closed).toMatchObject({ kind: "failed", error: FAILED });
  });

  test("ends a tunnel, and aborts both sides", async () => {
    const [a, b] = [duplex(), duplex()];
    const end = await tunnel(a, b, { idleMs: 5, clock: BrokenClock.in(part) });
    expect(end).toMatchObject({ endedBy: "idle", error: { code: "ABORTED", cause: FAILED } });
    expect([a.destroyed, b.destroyed]).toEqual([true, true]);
  });
});

test("a clock whose now() throws when a timer fires fails the connection", async () => {
  const clock = new BrokenClock();
  const { connection } = await serveOn(memoryPair()[0], OK, { clock, headMs: 5 });
  clock.break("now");
  clock.advance(10);
  expect(await connection.closed).toMatchObject({ kind: "failed", error: FAILED });
});

test("a clock whose clearTimer() throws when a timer is reset fails the connection", async () => {
  const clock = new BrokenClock();
  const { sender, connection } = await connectTo(memoryPair()[0], { clock, maxAgeMs: 1_000 });
  const pending = sender.sendRequest(GET);
  clock.break("clearTimer");
  const closed = connection.close({ timeoutMs: 5 });
  await expect(pending).rejects.toMatchObject(FAILED);
  expect(await closed).toMatchObject({ kind: "failed", error: FAILED });
});

test("a clock whose clearTimer() throws at the end does not change the result", async () => {
  const [a, b] = [duplex(), duplex()];
  const done = tunnel(a, b, { idleMs: 5, clock: BrokenClock.in("clearTimer") });
  a.destroy(new Error("gone"));
  expect(await done).toMatchObject({ endedBy: "a", error: { code: "TRANSPORT_FAILED" } });
  expect(b.destroyed).toBe(true);
});

test("a clock that throws while close() ends HTTP leaves a claimed io alone", async () => {
  const io = duplex();
  const clock = new BrokenClock();
  const { connection } = await connectTo(io, { clock });
  const parts = connection.withoutShutdown();
  clock.break("now");
  void connection.close();
  expect((await parts).io).toBe(io);
  await turns();
  expect([io.destroyed, connection.closeReason?.kind]).toEqual([false, "closed"]);
});

describe("a clock that throws while the parts wait to be claimed", () => {
  const CLAIM_MS = 777;
  const clock = { ...systemClock, setTimer: (ms: number) => (ms === CLAIM_MS ? thrown() : ms) };
  const options = { clock: { ...clock, now: () => 0 }, claimMs: CLAIM_MS };

  test("aborts an unclaimed switched connection", async () => {
    const [near, far] = memoryPair();
    const { sender, connection } = await connectTo(near, options);
    const headers = { Host: "a", Connection: "Upgrade", Upgrade: "chat" };
    const pending = sender.sendRequest({ ...GET, headers });
    await far.read();
    const accepted = answer("101 Switching Protocols", "Connection: Upgrade", "Upgrade: chat");
    await far.write([Buffer.from(accepted)]);
    expect((await pending).status).toBe(101);
    await turns();
    expect(connection.closeReason).toMatchObject({ kind: "failed", error: FAILED });
  });

  test("leaves parts alone that were requested and are handed over", async () => {
    const { peer, connection } = await serve(async (request) => {
      await request.switchTo("chat");
    }, options);
    await peer.send(head("GET /", "Connection: Upgrade", "Upgrade: chat"));
    expect(await peer.readHead()).toMatch(/ 101 /);
    await turns();
    expect(connection.closeReason).toEqual({ kind: "switched", protocol: "chat" });
  });
});
