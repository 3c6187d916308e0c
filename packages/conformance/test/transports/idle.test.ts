import { handshake as connectTo } from "@upgrade/client";
import { Deferred, type Io, memoryPair } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET } from "../../src/messages.ts";
import { destroyPairs, duplexPair, PAIRS, tcpPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { ROLES, type Role } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);
const HELLO = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const NO_CONTENT = "HTTP/1.1 204 No Content\r\n\r\n";

/** Our end, and one exchange on it. */
async function handshaken(role: Role, io: Io, peer: ScriptedPeer) {
  if (role === "server") {
    const { connection } = await serve(io, () => ({ status: 204 }), { date: false });
    const exchange = async () => {
      await peer.send(HELLO);
      expect(await peer.readHead()).toBe(NO_CONTENT);
    };
    return { connection, exchange };
  }
  const { connection, sender } = await connectTo(io);
  const exchange = async () => {
    const sent = sender.sendRequest(GET);
    expect(await peer.readHead()).toBe(HELLO);
    await peer.send(NO_CONTENT);
    expect((await sent).status).toBe(204);
  };
  return { connection, exchange };
}

describe.each(PAIRS)("over $name", ({ name, make }) => {
  describe.each(ROLES)("L2: a %s that is idle", (role) => {
    test("is taken apart, before its first exchange and after it, unless a read is pending", async () => {
      const unhandled = watchUnhandled();
      for (const exchanges of [0, 2]) {
        const [io, far] = await make();
        const peer = new ScriptedPeer(far);
        const { connection, exchange } = await handshaken(role, io, peer);
        for (let i = 0; i < exchanges; i++) await exchange();
        await turns();
        if (name.startsWith("WHATWG")) {
          expect(() => connection.intoParts()).toThrow("cannot cancel");
          await exchange();
          continue;
        }
        const parts = connection.intoParts();
        expect(parts).toEqual({ io, readBuf: new Uint8Array(0), readEnded: false });
        expect(parts.io).toBe(io);
        const next = new ScriptedPeer(io);
        await peer.send("theirs");
        expect(await next.read(6)).toBe("theirs");
        await next.send("ours");
        expect(await peer.read(4)).toBe("ours");
      }
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    });

    test("is taken apart by close(), after withoutShutdown(), with the io left open", async () => {
      const [io, far] = await make();
      const peer = new ScriptedPeer(far);
      const { connection, exchange } = await handshaken(role, io, peer);
      await exchange();
      const parts = connection.withoutShutdown();
      expect(await connection.close()).toMatchObject({ kind: "closed" });
      expect(await parts).toEqual({ io, readBuf: new Uint8Array(0), readEnded: false });
      const next = new ScriptedPeer(io);
      await peer.send("theirs");
      expect(await next.read(6)).toBe("theirs");
      await next.send("ours");
      expect(await peer.read(4)).toBe("ours");
    });

    test("is taken apart after its peer's end: the new owner can still write, and reads nothing more", async () => {
      const [io, far] = await make();
      const peer = new ScriptedPeer(far);
      const { connection, exchange } = await handshaken(role, io, peer);
      await exchange();
      const parts = connection.withoutShutdown();
      await peer.end();
      const { readBuf, readEnded } = await parts;
      expect([readBuf.length, readEnded]).toEqual([0, true]);
    });
  });
});

describe.each(ROLES)("L9: before it awaits anything our %s", (role) => {
  const shakeHands = (io: Io): Promise<unknown> =>
    role === "client" ? connectTo(io) : serve(io, () => ({ status: 204 }));

  test("listens for errors of a Duplex, so that none crashes the process", async () => {
    const unhandled = watchUnhandled();
    const [io] = duplexPair();
    io.removeAllListeners("error");
    const handshaken = shakeHands(io);
    expect(io.listenerCount("error")).toBe(1);
    expect(io.allowHalfOpen).toBe(true);
    io.destroy(new Error("at once"));
    await handshaken;
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("ends only when both sides have ended, however the socket was created", async () => {
    for (const allowHalfOpen of [true, false]) {
      const [io] = await tcpPair({ allowHalfOpen });
      await shakeHands(io);
      expect(io.allowHalfOpen).toBe(true);
    }
  });
});

test("L20: bytes already in the stream of a new client are unsolicited", async () => {
  for (const make of [() => tcpPair(), async () => duplexPair()]) {
    const [io, far] = await make();
    await new ScriptedPeer(far).send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
    await turns();
    io.unshift(Buffer.from("x"));
    const { sender, connection } = await connectTo(io);
    expect(await connection.closed).toMatchObject({ error: { code: "UNEXPECTED_DATA" } });
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({ code: "NOT_SENT" });
  }
});

describe("L18: the peer is gone, and request.signal aborts, if", () => {
  const serving = async (io: Io, far: Io, service: () => unknown = () => new Promise(() => {})) => {
    const called = new Deferred<AbortSignal>();
    const { connection } = await serve(io, (request) => {
      called.resolve(request.signal);
      return service() as never;
    });
    const peer = new ScriptedPeer(far);
    await peer.send(HELLO);
    return { connection, signal: await called.promise };
  };
  const aborted = (signal: AbortSignal) =>
    new Promise<unknown>((resolve) => {
      if (signal.aborted) resolve(signal.reason);
      signal.addEventListener("abort", () => resolve(signal.reason));
    });

  test.each([undefined, new Error("foreign")])(
    "the stream is destroyed, with %s",
    async (cause) => {
      for (const make of [() => tcpPair(), async () => duplexPair()]) {
        const [io, far] = await make();
        const { signal, connection } = await serving(io, far);
        io.destroy(cause);
        expect(await aborted(signal)).toMatchObject({
          code: "TRANSPORT_FAILED",
          ...(cause === undefined ? {} : { cause }),
        });
        expect((await connection.closed).kind).toBe("failed");
      }
    },
  );

  test("a write fails, though the stream still reads", async () => {
    const [near, far] = memoryPair();
    const io = {
      ...bareStream(near),
      write: () => Promise.reject(new Error("EPIPE")),
    };
    const endless = async function* () {
      yield "x";
      await new Promise(() => {});
    };
    const { signal } = await serving(io, far, () => ({ status: 200, body: endless() }));
    expect(await aborted(signal)).toMatchObject({
      code: "TRANSPORT_FAILED",
      cause: { message: "EPIPE" },
    });
  });
});
