import { once } from "node:events";
import { Duplex } from "node:stream";
import { connect, handshake as connectTo, upgrade } from "@upgrade/client";
import { ManualClock, tunnel } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET } from "../../src/messages.ts";
import { destroyPairs, duplexPair, tcpPair, tlsPair, webPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

const NODE = [
  { name: "TCP", make: () => tcpPair() },
  { name: "TLS", make: () => tlsPair() },
  { name: "Duplex", make: async () => duplexPair(false) },
] as const;

/** Ways to die between accept and handshake. */
const DEATHS: Record<string, (io: Duplex, far: Duplex) => unknown> = {
  "its peer has reset it": async (io, far) => {
    const over = new Promise((resolve) => io.once("close", resolve));
    new ScriptedPeer(far).reset();
    await over;
  },
  "it was destroyed": (io) => io.destroy(),
  "it was destroyed with an error not emitted yet": (io) => io.destroy(new Error("x")),
  "it was destroyed and has closed": async (io) => {
    io.destroy();
    await once(io, "close");
  },
};

// Both sides ended, but not destroyed: a socket is in this state briefly before it closes, and
// permanently if `autoDestroy` is off.
function endedBothWays(bytes = ""): Duplex {
  const io = new Duplex({
    autoDestroy: false,
    read() {},
    write: (_chunk, _encoding, done) => done(),
  });
  if (bytes !== "") io.push(bytes);
  io.push(null);
  if (bytes === "") io.read(0);
  io.end();
  return io;
}

describe.each(NODE)("L9: an io over $name that is dead before the handshake:", ({ make }) => {
  test.each(Object.entries(DEATHS))("%s: our client has failed", async (_, die) => {
    const unhandled = watchUnhandled();
    const [io, far]: [Duplex, Duplex] = await make();
    // As required of a caller that resolves an address before the handshake.
    io.on("error", () => {});
    await die(io, far);
    const { sender, connection } = await connectTo(io);
    expect(sender.isClosed).toBe(true);
    expect(connection.closeReason).toMatchObject({
      kind: "failed",
      error: { code: "TRANSPORT_FAILED" },
    });
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({
      code: "NOT_SENT",
      retrySafe: true,
    });
    await expect(sender.ready()).rejects.toMatchObject({ code: "NOT_SENT" });
    await expect(connection.run()).rejects.toMatchObject({ code: "TRANSPORT_FAILED" });
    expect((await connection.closed).kind).toBe("failed");
    expect((await connection.close()).kind).toBe("failed");
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test.each(Object.entries(DEATHS))("%s: our server has failed, and reports it", async (_, die) => {
    const unhandled = watchUnhandled();
    const [io, far]: [Duplex, Duplex] = await make();
    io.on("error", () => {});
    await die(io, far);
    const reports: unknown[] = [];
    const { connection } = await serve(io, () => ({ status: 204 }), {
      onError: (error) => reports.push(error),
    });
    const closed = await connection.closed;
    expect(closed).toMatchObject({ kind: "failed", error: { code: "TRANSPORT_FAILED" } });
    expect(reports).toEqual([(closed as { error: unknown }).error]);
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("upgrade() and connect() reject, with nothing sent", async () => {
    const unhandled = watchUnhandled();
    const request = { target: "/", protocol: "chat", headers: { Host: "a.test" } };
    for (const ask of [
      (io: Duplex) => upgrade(io, request),
      (io: Duplex) => connect(io, "a.test:80"),
    ]) {
      const [io]: [Duplex, Duplex] = await make();
      io.destroy();
      await expect(ask(io)).rejects.toMatchObject({ code: "NOT_SENT", sent: "nothing" });
    }
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("a later error does not end the process: it is the cause", async () => {
    const unhandled = watchUnhandled();
    const [io]: [Duplex, Duplex] = await make();
    const cause = new Error("it broke");
    io.removeAllListeners("error");
    io.destroy(cause);
    const { connection } = await connectTo(io);
    expect(connection.closeReason).toMatchObject({ kind: "failed", error: { cause } });
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("no deadline waits for it, and its parts can be taken", async () => {
    const clock = new ManualClock();
    const [io]: [Duplex, Duplex] = await make();
    io.destroy();
    const { connection } = await serve(io, () => ({ status: 204 }), { clock, maxAgeMs: 1_000 });
    expect(clock.pending).toBe(0);
    expect(connection.intoParts().io).toBe(io);
    // Node 20 crashes if both ends of a TLS connection are destroyed in one turn.
    await turns();
  });

  test("a tunnel to it ends, and the other side is aborted", async () => {
    const unhandled = watchUnhandled();
    const clock = new ManualClock();
    for (const dead of ["a", "b"] as const) {
      const [alive, left]: [Duplex, Duplex] = await make();
      const [io]: [Duplex, Duplex] = await make();
      io.on("error", () => {});
      io.destroy(new Error("it broke"));
      const early = { readBuf: new Uint8Array([1]), readEnded: false };
      const [a, b] = dead === "a" ? [io, alive] : [alive, io];
      const done = tunnel({ io: a, ...early }, { io: b, ...early }, { clock, idleMs: 1_000 });
      expect(await done).toMatchObject({
        endedBy: dead,
        error: { code: "TRANSPORT_FAILED", cause: { message: "it broke" } },
      });
      expect([alive.destroyed, clock.pending]).toEqual([true, 0]);
      await new ScriptedPeer(left).readToLast();
    }
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
});

describe("L9: a stream that has ended both ways without being used", () => {
  test("is a failed connection, and left alone", async () => {
    const io = endedBothWays();
    await once(io, "end");
    const { sender, connection } = await connectTo(io);
    expect(connection.closeReason?.kind).toBe("failed");
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({ code: "NOT_SENT" });
    const served = await serve(io, () => ({ status: 204 }));
    expect((await served.connection.closed).kind).toBe("failed");
    expect(io.destroyed).toBe(false);
  });

  test("is refused if it was read to its end", async () => {
    const io = endedBothWays("read");
    io.resume();
    await once(io, "end");
    await expect(connectTo(io)).rejects.toMatchObject({ code: "INVALID_IO" });
  });
});

describe("L9: a socket whose peer has ended before the handshake, and which is still writable,", () => {
  const halfEnded = async (isPaused = false) => {
    const [io, far] = await tcpPair({ allowHalfOpen: true });
    if (isPaused) io.pause();
    far.end();
    await once(io, "end");
    expect([io.readableEnded, io.writableEnded]).toEqual([true, false]);
    return [io, new ScriptedPeer(far)] as const;
  };

  test.each([
    ["", false],
    [", even if it was paused", true],
  ])("ends cleanly at our server%s", async (_, isPaused) => {
    const [io, peer] = await halfEnded(isPaused);
    const { connection } = await serve(io, () => ({ status: 204 }));
    expect((await connection.closed).kind).toBe("peer-ended");
    expect(await peer.readToEnd()).toBe("");
  });

  test("returns requests unsent at our client", async () => {
    const [io, peer] = await halfEnded();
    const { sender, connection } = await connectTo(io);
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({ code: "NOT_SENT" });
    expect((await connection.closed).kind).toBe("peer-ended");
    expect(await peer.readToEnd()).toBe("");
  });

  test.each(["a", "b"] as const)("can be side %s of a tunnel", async (name) => {
    const [io, ended] = await halfEnded();
    const [other, far] = await tcpPair({ allowHalfOpen: true });
    const talking = new ScriptedPeer(far);
    const half = { io, readBuf: Buffer.from("early"), readEnded: false };
    const whole = { io: other, readBuf: new Uint8Array(0), readEnded: false };
    const done = name === "a" ? tunnel(half, whole) : tunnel(whole, half);
    expect(await talking.readToEnd()).toBe("early");
    await talking.send("late");
    await talking.end();
    expect(await ended.readToEnd()).toBe("late");
    const counts = name === "a" ? { aToB: 5, bToA: 4 } : { aToB: 4, bToA: 5 };
    expect(await done).toEqual({ ...counts, endedBy: name });
  });
});

describe("L9: a WHATWG pair that is dead before the handshake", () => {
  const STATES: Record<string, () => Promise<ReturnType<typeof webPair>[0]>> = {
    "it has failed": async () => {
      const [io, far] = webPair();
      await far.writable.abort(new Error("it broke"));
      await far.readable.cancel(new Error("it broke"));
      return io;
    },
    "its writable was aborted locally": async () => {
      const [io] = webPair();
      await io.writable.abort(new Error("it broke"));
      return io;
    },
    "both sides were closed": async () => {
      const [io, far] = webPair();
      await far.writable.close();
      await io.writable.close();
      return io;
    },
  };

  test.each(Object.entries(STATES))(
    "%s: nothing is sent, and everything is reported",
    async (_, make) => {
      const unhandled = watchUnhandled();
      const { sender, connection } = await connectTo(await make());
      await expect(sender.sendRequest(GET)).rejects.toMatchObject({ sent: "nothing" });
      await expect(sender.sendRequest(GET)).rejects.toMatchObject({ code: "NOT_SENT" });
      await connection.closed;
      const served = await serve(await make(), () => ({ status: 204 }));
      await served.connection.closed;
      const request = { target: "/", protocol: "chat", headers: { Host: "a.test" } };
      await expect(upgrade(await make(), request)).rejects.toMatchObject({ sent: "nothing" });
      await turns();
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    },
  );
});
