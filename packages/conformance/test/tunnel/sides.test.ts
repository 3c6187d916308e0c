import { Duplex } from "node:stream";
import vm from "node:vm";
import { type Io, ManualClock, memoryPair, type Parts, tunnel } from "@upgrade/core/io";
import { afterEach, describe, expect, test } from "vitest";
import { destroyPairs, duplexPair, tcpPair } from "../../src/pairs/pairs.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

type Side = Parts<Io> | Io;

const partsWith = (readBuf: unknown) => (): Side =>
  ({ io: duplexPair()[0], readBuf, readEnded: false }) as never;

/** Values that a caller may mistake for a side. */
const NO_SIDES: [string, () => Side][] = [
  ["null", () => null as never],
  ["undefined", () => undefined as never],
  ["a string", () => "socket" as never],
  ["a number", () => 7 as never],
  ["an object", () => ({}) as never],
  ["parts without bytes", partsWith(undefined)],
  ["parts with null", partsWith(null)],
  ["parts with a string", partsWith("x")],
  ["parts with the class of bytes", partsWith(Uint8Array)],
  ["parts with a Uint16Array", partsWith(new Uint16Array(1))],
];

/** The ios of sides, if any. */
function iosOf(...sides: readonly unknown[]): Duplex[] {
  return sides
    .map((side) => (side as Parts<Duplex> | null | undefined)?.io ?? side)
    .filter((io) => io instanceof Duplex);
}

describe("L8, L9: an invalid side:", () => {
  test.each(NO_SIDES)("%s is INVALID_IO, and both ios are aborted", async (_, make) => {
    for (const place of ["a", "b"]) {
      const unhandled = watchUnhandled();
      const clock = new ManualClock();
      const none = make();
      const [other, far] = duplexPair();
      far.on("error", () => {});
      const [a, b] = place === "a" ? [none, other] : [other, none];
      expect(await rejection(tunnel(a, b, { idleMs: 1_000, clock }))).toBe("INVALID_IO");
      for (const io of iosOf(none, other)) {
        expect([io.destroyed, io.listenerCount("data")]).toEqual([true, 0]);
      }
      expect(clock.pending).toBe(0);
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    }
  });

  test.each(NO_SIDES)("%s, when it arrives, ends the tunnel, and is the cause", async (_, make) => {
    const unhandled = watchUnhandled();
    const none = make();
    const [other, far] = duplexPair();
    far.on("error", () => {});
    const end = await tunnel(Promise.resolve(none), other);
    expect(end).toMatchObject({
      endedBy: "a",
      error: { code: "TRANSPORT_FAILED", cause: { code: "INVALID_IO" } },
    });
    for (const io of iosOf(none, other)) expect(io.destroyed).toBe(true);
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test.each(NO_SIDES)(
    "%s, arriving after the other has failed, does not end the process",
    async (_, make) => {
      const unhandled = watchUnhandled();
      const none = make();
      const [other] = duplexPair();
      let arrive!: (side: Side) => void;
      const done = tunnel(
        new Promise<Side>((resolve) => {
          arrive = resolve;
        }),
        other,
      );
      other.destroy(new Error("gone"));
      expect(await done).toMatchObject({ endedBy: "b", error: { message: /gone$/ } });
      arrive(none);
      expect(await unhandled.settled()).toEqual([]);
      for (const io of iosOf(none)) expect(io.destroyed).toBe(true);
      unhandled.stop();
    },
  );
});

describe("L8: an error thrown by the caller's object ends both sides:", () => {
  const boom = new Error("boom");
  const throws = (): never => {
    throw boom;
  };

  test("in the `then` of a promised side, like its rejection", async () => {
    const [other, far] = memoryPair();
    // biome-ignore lint/suspicious/noThenProperty: a custom promise
    const end = await tunnel(other, { then: throws } as never);
    expect(end).toMatchObject({ endedBy: "b", error: { code: "TRANSPORT_FAILED", cause: boom } });
    await expect(far.read()).rejects.toThrow();
  });

  test("in the end() of a stream, which has then failed", async () => {
    const [[a, farA], [b]] = [duplexPair(), duplexPair()];
    b.end = throws;
    const done = tunnel(a, b);
    farA.end();
    expect(await done).toMatchObject({ endedBy: "a", error: { code: "TRANSPORT_FAILED" } });
    expect([a.destroyed, b.destroyed]).toEqual([true, true]);
  });
});

test("a promised side of another realm is awaited, as are its bytes", async () => {
  const [[a, farA], [b, farB]] = [memoryPair(), memoryPair()];
  const side = vm.runInNewContext(
    "Promise.resolve({ io, readBuf: new Uint8Array([104, 105]), readEnded: false })",
    { io: a },
  ) as Promise<Parts<Io>>;
  const done = tunnel(side, b);
  expect(await new ScriptedPeer(farB).read(2)).toBe("hi");
  await Promise.all([farA.closeWrite(), farB.closeWrite()]);
  expect(await done).toMatchObject({ aToB: 2, bToA: 0 });
});

test("a failure passed on by a rejection is named once", async () => {
  const [[a], [b], [c]] = [memoryPair(), memoryPair(), await tcpPair()];
  const first = tunnel(a, Promise.reject(new Error("no route")));
  const { error } = await first;
  const { error: second } = await tunnel(b, Promise.reject(error));
  const { error: third } = await tunnel(c, Promise.reject(second));
  expect(third).toMatchObject({ message: "the transport failed: no route", cause: second });
});

describe("streams that emit no close", () => {
  const silent = (): Duplex =>
    new Duplex({ emitClose: false, read() {}, write: (_chunk, _encoding, done) => done() });

  test("end a tunnel when both sides have ended, and keep no listener of ours", async () => {
    const [a, b] = [silent(), silent()];
    const done = tunnel(a, b);
    a.push(null);
    b.push(null);
    expect(await done).toEqual({ aToB: 0, bToA: 0, endedBy: "a" });
    await turns();
    for (const io of [a, b]) {
      expect([io.destroyed, io.listenerCount("data"), io.listenerCount("close")]).toEqual([
        true,
        0,
        0,
      ]);
    }
  });

  test("and are destroyed from outside, end it with the next write to them", async () => {
    const [a, b] = [silent(), silent()];
    const done = tunnel(a, b);
    b.destroy();
    a.push("x");
    expect(await done).toMatchObject({ endedBy: "b", error: { code: "TRANSPORT_FAILED" } });
    expect(a.destroyed).toBe(true);
  });

  test.each([true, false])(
    "with emitClose: %s, fail with the error of a write",
    async (emitClose) => {
      const full = new Error("full");
      const b = new Duplex({
        emitClose,
        read() {},
        write: (_chunk, _encoding, done) => done(full),
      });
      const a = silent();
      const done = tunnel(a, b);
      a.push("x");
      expect(await done).toMatchObject({ endedBy: "b", error: { cause: full } });
      await turns();
      expect([a.destroyed, b.destroyed]).toEqual([true, true]);
    },
  );
});

test("L9: a side that arrives late and dead is given up silently", async () => {
  const unhandled = watchUnhandled();
  const late = duplexPair()[0];
  late.destroy();
  await turns();
  const end = await tunnel(Promise.reject(new Error("no route")), Promise.resolve(late));
  expect(end).toMatchObject({ error: { code: "TRANSPORT_FAILED" } });
  expect(await unhandled.settled()).toEqual([]);
  unhandled.stop();
});
