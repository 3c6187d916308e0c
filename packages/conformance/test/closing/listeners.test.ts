import type { Duplex } from "node:stream";
import { handshake as connectTo } from "@upgrade/client";
import { type Connection, tunnel } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET } from "../../src/messages.ts";
import { destroyPairs, duplexPair, tcpPair, tlsPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ROLES } from "../../src/switching.ts";

afterEach(destroyPairs);

const NODE = [
  { name: "TCP", make: () => tcpPair() },
  { name: "TLS", make: () => tlsPair() },
  { name: "Duplex", make: async () => duplexPair() },
] as const;

/** Ways for a connection to end, including the peer's part. */
const ENDS: Record<string, (connection: Connection<Duplex>, peer: ScriptedPeer) => unknown> = {
  "it is closed": async (connection, peer) => {
    void connection.close();
    await peer.readToEnd();
    await peer.end();
  },
  "it is aborted": (connection) => connection.abort(),
  "its peer resets": (_, peer) => peer.reset(),
  "its peer ends": async (_, peer) => {
    await peer.end();
    await peer.readToEnd();
  },
};

/** The number of listeners for each event, including Node's own. */
function listeners(io: Duplex): Record<string, number> {
  return Object.fromEntries(io.eventNames().map((name) => [name, io.listenerCount(name)]));
}

/** Listeners added since then, each as often as it was added. */
function added(io: Duplex, before: Record<string, number>): string[] {
  return Object.entries(listeners(io))
    .flatMap(([name, count]) => Array<string>(Math.max(0, count - (before[name] ?? 0))).fill(name))
    .sort();
}

// The silent listener, and the one that removes it when another error listener is added.
const SILENT = ["error", "newListener"];

/** Only the silent listener was added, and it is removed when another is added. */
function expectSilence(io: Duplex, before: Record<string, number>): void {
  expect(added(io, before)).toEqual(SILENT);
  expect(() => io.emit("error", new Error("late"))).not.toThrow();
  io.on("error", () => {});
  expect(added(io, before)).toEqual(["error"]);
}

describe.each(NODE)(
  "L2, L9: only a silent listener of ours stays on a closed socket, over $name:",
  ({ make }) => {
    describe.each(ROLES)("our %s,", (role) => {
      test.each(Object.keys(ENDS))("when %s", async (how) => {
        const [io, far]: [Duplex, Duplex] = await make();
        const before = listeners(io);
        const over = new Promise((resolve) => io.once("close", resolve));
        const { connection } =
          role === "client" ? await connectTo(io) : await serve(io, () => ({ status: 204 }));
        await ENDS[how]!(connection, new ScriptedPeer(far));
        await over;
        expectSilence(io, before);
      });
    });

    test("on an aborted client only the guard against a late error stays until it closes", async () => {
      const [io]: [Duplex, Duplex] = await make();
      const before = listeners(io);
      const over = new Promise((resolve) => io.once("close", resolve));
      const { sender, connection } = await connectTo(io);
      sender.sendRequest(GET).catch(() => {});
      connection.abort();
      // Node adds its own listener for the close.
      expect([...new Set(added(io, before))]).toEqual(["close", "error"]);
      await over;
      expectSilence(io, before);
    });

    test("on a tunnel that ended or failed", async () => {
      for (const ends of [true, false]) {
        const [a, left]: [Duplex, Duplex] = await make();
        const [b, right]: [Duplex, Duplex] = await make();
        const before = [listeners(a), listeners(b)] as const;
        const closed = Promise.all(
          [a, b].map((io) => new Promise((done) => io.once("close", done))),
        );
        const none = { readBuf: new Uint8Array(0), readEnded: false };
        const done = tunnel({ io: a, ...none }, { io: b, ...none });
        const peers = [left, right].map((io) => new ScriptedPeer(io));
        if (ends) await Promise.all(peers.map((peer) => peer.end()));
        else peers[0]!.reset();
        await Promise.all([done, closed]);
        expectSilence(a, before[0]);
        expectSilence(b, before[1]);
      }
    });
  },
);
