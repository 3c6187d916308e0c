import { handshake as connectTo } from "@upgrade/client";
import { type Io, ManualClock, memoryPair } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET, head, rejection } from "../src/against.ts";
import { bareStream } from "../src/bare-stream.ts";
import { destroyPairs } from "../src/pairs.ts";
import { connPair } from "../src/pairs-conn.ts";
import { ROLES, switching } from "../src/pairs-mirror.ts";
import { turns, watchQuiet } from "../src/pairs-quiet.ts";
import { workerSocket } from "../src/pairs-worker-socket.ts";
import { ScriptedPeer } from "../src/scripted-peer.ts";

afterEach(destroyPairs);

/** Ios whose pending read nobody can withdraw, each with its far end. */
const STUCK = {
  "a socket of workerd": async () => {
    const [io, far] = await workerSocket();
    return [io as Io, new ScriptedPeer(far)] as const;
  },
  "a Deno.Conn": async () => {
    const [io, far] = await connPair();
    return [io as Io, far] as const;
  },
  "a ByteStream without cancelRead": async () => {
    const [near, far] = memoryPair();
    return [bareStream(near) as Io, new ScriptedPeer(far)] as const;
  },
};

describe.each(Object.entries(STUCK))("L8: an idle connection over %s", (_, make) => {
  test.each(ROLES)(
    "is not taken by close() after withoutShutdown(): our %s says so at once, and ends in order",
    async (role) => {
      const quiet = watchQuiet();
      const clock = new ManualClock();
      const [io, far] = await make();
      const { connection } =
        role === "client"
          ? await connectTo(io, { clock })
          : await serve(io, () => ({ status: 204 }), { clock });
      await turns();
      const parts = rejection(connection.withoutShutdown());
      const closed = connection.close();
      expect(await parts).toBe("READ_PENDING");
      if (far instanceof ScriptedPeer) {
        expect(await far.readToEnd()).toBe("");
        await far.end();
      } else {
        expect(await far.read(new Uint8Array(1))).toBe(null);
        await far.closeWrite();
      }
      expect(await closed).toMatchObject({ kind: "closed" });
      expect(await quiet.settled()).toEqual([]);
      quiet.stop();
    },
  );

  test("is not taken by the idle deadline either", async () => {
    const clock = new ManualClock();
    const [io] = await make();
    const { connection } = await connectTo(io, { clock, idleMs: 1_000 });
    const end = rejection(connection.pollWithoutShutdown());
    clock.advance(1_000);
    expect(await end).toBe("READ_PENDING");
    expect(connection.closeReason).toMatchObject({ kind: "idle" });
  });
});

describe("L13: over a socket of workerd", () => {
  test("an abort reaches the peer at once, and cancels no stream", async () => {
    const [io, far] = await workerSocket();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io);
    const asked = rejection(sender.sendRequest(GET));
    await peer.readHead();
    connection.abort();
    expect(await asked).toBe("ABORTED");
    expect(await peer.readToEnd()).toBe("");
    expect(io.ends).toEqual(["writer.close", "close"]);
  });

  test("a body that throws does not end well: it shows that it was cut", async () => {
    const [io, far] = await workerSocket();
    const peer = new ScriptedPeer(far);
    const body = async function* () {
      yield "x";
      await turns();
      throw new Error("disk");
    };
    const { connection } = await serve(io, () => ({ status: 200, body: body() }));
    await peer.send(head("GET /"));
    await peer.readHead();
    expect(await peer.readToEnd()).toBe("1\r\nx\r\n");
    expect((await connection.closed).kind).toBe("failed");
  });

  test.each(ROLES)(
    "a switch hands it over, with neither stream locked, by our %s",
    async (role) => {
      const [io, far] = await workerSocket();
      const { parts } = await switching(
        role,
        "upgrade",
        io as never,
        new ScriptedPeer(far),
        "early",
      );
      expect(Buffer.from((await parts).readBuf).toString()).toBe("early");
      expect([io.readable.locked, io.writable.locked, io.ends]).toEqual([false, false, []]);
    },
  );
});
