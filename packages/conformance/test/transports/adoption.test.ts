import { once } from "node:events";
import { type Duplex, Writable } from "node:stream";
import { handshake } from "@upgrade/client";
import { afterEach, describe, expect, test } from "vitest";
import { destroyPairs, duplexPair, tcpPair, tlsPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ROLES, switching } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

const NODE = [
  { name: "TCP", make: (allowHalfOpen: boolean) => tcpPair({ allowHalfOpen }) },
  { name: "TLS", make: (allowHalfOpen: boolean) => tlsPair({ allowHalfOpen }) },
  { name: "Duplex", make: async (allowHalfOpen: boolean) => duplexPair(allowHalfOpen) },
] as const;

/** Five ways to take over a stream, each of which reads it to its end. */
const ADOPTIONS: Record<string, (io: Duplex) => Promise<string>> = {
  'on("data")': async (io) => {
    let text = "";
    io.on("data", (bytes: Buffer) => {
      text += bytes.toString("latin1");
    });
    await once(io, "end");
    return text;
  },
  "pipe": async (io) => {
    let text = "";
    const sink = new Writable({
      write(bytes: Buffer, _, done) {
        text += bytes.toString("latin1");
        done();
      },
    });
    await once(io.pipe(sink), "finish");
    return text;
  },
  "for await": async (io) => {
    let text = "";
    for await (const bytes of io) text += (bytes as Buffer).toString("latin1");
    return text;
  },
  "read()": async (io) => {
    let text = "";
    while (!io.readableEnded) {
      const bytes = io.read() as Buffer | null;
      if (bytes === null) await turns(1);
      else text += bytes.toString("latin1");
    }
    return text;
  },
  'on("readable")': async (io) => {
    let text = "";
    io.on("readable", () => {
      for (let bytes = io.read(); bytes !== null; bytes = io.read()) {
        text += (bytes as Buffer).toString("latin1");
      }
    });
    await once(io, "end");
    return text;
  },
};

describe.each(NODE)("L2 same object, over $name", ({ make }) => {
  describe.each(ROLES)("our %s", (role) => {
    test.each(Object.keys(ADOPTIONS))("adopted in the same tick by %s", async (way) => {
      const [io, far] = await make(false);
      const peer = new ScriptedPeer(far);
      const { parts } = await switching(role, "upgrade", io, peer, "first ");
      const read = parts.then(async ({ io, readBuf }) => {
        const rest = ADOPTIONS[way]!(io);
        return Buffer.from(readBuf).toString("latin1") + (await rest);
      });
      await peer.send("second ");
      await turns();
      await peer.send("third");
      await peer.end();
      expect(await read).toBe("first second third");
    });

    test.each(Object.keys(ADOPTIONS))("adopted later by %s", async (way) => {
      const [io, far] = await make(false);
      const peer = new ScriptedPeer(far);
      const { parts } = await switching(role, "upgrade", io, peer, "first ");
      const { readBuf } = await parts;
      await peer.send("second ");
      await turns();
      const read = ADOPTIONS[way]!(io);
      await peer.send("third");
      await peer.end();
      expect(Buffer.from(readBuf).toString("latin1") + (await read)).toBe("first second third");
    });

    test.each([true, false])("as before the handshake, allowHalfOpen %s", async (halfOpen) => {
      const [io, far] = await make(halfOpen);
      if ("setTimeout" in io) io.setTimeout(60_000);
      io.on("finish", () => {});
      const before = fingerprint(io);
      const peer = new ScriptedPeer(far);
      const { parts } = await switching(role, "upgrade", io, peer);
      await parts;
      expect(fingerprint(io)).toEqual({
        ...before,
        listeners: {
          ...before.listeners,
          error: (before.listeners.error ?? 0) + 1,
          newListener: (before.listeners.newListener ?? 0) + 1,
        },
      });
      expect(io.readableFlowing).toBe(null);
      io.on("error", () => {});
      const listeners = { ...before.listeners, error: (before.listeners.error ?? 0) + 1 };
      expect(fingerprint(io)).toEqual({ ...before, listeners });
    });

    test("the guard against a reset stays until an error listener is added", async () => {
      const [io, far] = await make(false);
      const watchers = io.listenerCount("newListener");
      const { parts } = await switching(role, "upgrade", io, new ScriptedPeer(far));
      await parts;
      const guards = io.listenerCount("error");
      io.on("data", () => {});
      io.once("close", () => {});
      expect(io.listenerCount("error")).toBe(guards);
      expect(() => io.emit("error", new Error("reset"))).not.toThrow();
      io.once("error", () => {});
      expect(io.listenerCount("error")).toBe(guards);
      expect(io.listenerCount("newListener")).toBe(watchers);
    });
  });
});

/** Everything about a stream that its next owner could notice. */
function fingerprint(io: Duplex & { timeout?: number }) {
  const listeners: Record<string, number> = {};
  for (const name of io.eventNames()) listeners[String(name)] = io.listenerCount(name);
  return {
    listeners,
    flowing: io.readableFlowing,
    encoding: io.readableEncoding,
    corked: io.writableCorked,
    allowHalfOpen: io.allowHalfOpen,
    timeout: io.timeout,
  };
}

describe.each(NODE)("L9 no crash, over $name", ({ make }) => {
  test.each(ROLES)("our %s: a reset right at the switch, without a listener", async (role) => {
    const unhandled = watchUnhandled();
    const [io, far] = await make(false);
    const peer = new ScriptedPeer(far);
    const { parts } = await switching(role, "upgrade", io, peer, "early");
    const taken = parts.then(({ io }) => io.listenerCount("error"));
    peer.reset();
    expect(await taken).toBeGreaterThan(0);
    io.resume();
    await turns(20);
    expect(io.destroyed).toBe(true);
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("a stream that failed but has not emitted its error yet is guarded, too", async () => {
    const unhandled = watchUnhandled();
    const [io, far] = await make(false);
    const { connection } = await handshake(io);
    new ScriptedPeer(far);
    // A stream emits its error in a later turn.
    io.destroy(new Error("it broke"));
    expect(connection.intoParts({ force: true }).io).toBe(io);
    await turns();
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
});

const SOCKETS = NODE.filter(({ name }) => name !== "Duplex");

describe.each(SOCKETS)(
  "L2: output that comes after the peer's half-close, over $name",
  ({ make }) => {
    test.each(ROLES)(
      "arrives from our %s only if the socket was created half-open",
      async (role) => {
        for (const allowHalfOpen of [true, false]) {
          const [io, far] = await make(allowHalfOpen);
          const peer = new ScriptedPeer(far);
          const { parts } = await switching(role, "upgrade", io, peer);
          const taken = (await parts).io;
          taken.on("error", () => {}).resume();
          await peer.send("input");
          await peer.end();
          await once(taken, "end");
          await turns();
          taken.end("output");
          expect(await peer.readToEnd()).toBe(allowHalfOpen ? "output" : "");
        }
      },
    );
  },
);
