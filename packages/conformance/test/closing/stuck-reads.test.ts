import { handshake as connectTo } from "@upgrade/client";
import { type Io, ManualClock, memoryPair } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { answer, GET, head } from "../../src/messages.ts";
import { connPair } from "../../src/pairs/deno-conn.ts";
import { destroyPairs } from "../../src/pairs/pairs.ts";
import { workerSocket } from "../../src/pairs/worker-socket.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { ROLES, switching } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

/** Ios whose pending read cannot be withdrawn, each with its far end. */
const STUCK = {
  "a workerd socket": async () => {
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
    "is not taken by close() after withoutShutdown(): our %s rejects at once, and ends in order",
    async (role) => {
      const unhandled = watchUnhandled();
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
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
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

type FarEnd = Awaited<ReturnType<(typeof STUCK)[keyof typeof STUCK]>>[1];

/** Reads everything at the far end, and ends its side. */
async function readAndEnd(far: FarEnd): Promise<string> {
  if (far instanceof ScriptedPeer) {
    const text = await far.readToEnd();
    await far.end();
    return text;
  }
  let text = "";
  const buffer = new Uint8Array(1_024);
  let count = await far.read(buffer);
  while (count !== null) {
    text += Buffer.from(buffer.subarray(0, count)).toString("latin1");
    count = await far.read(buffer);
  }
  await far.closeWrite();
  return text;
}

async function send(far: FarEnd, text: string): Promise<void> {
  if (far instanceof ScriptedPeer) await far.send(text);
  else await far.write(Buffer.from(text));
}

describe.each(Object.entries(STUCK))("L8: a last exchange over %s", (_, make) => {
  test.each(["withoutShutdown", "pollWithoutShutdown"] as const)(
    "ends %s() of our server at once, though a read is pending",
    async (way) => {
      const unhandled = watchUnhandled();
      const clock = new ManualClock();
      const [io, far] = await make();
      const service = async () => {
        await turns();
        return { status: 204, headers: { Connection: "close" } };
      };
      const { connection } = await serve(io, service, { clock, date: false });
      const end = rejection(connection[way]());
      await send(far, head("GET /"));
      expect(await end).toBe("READ_PENDING");
      expect(await readAndEnd(far)).toBe("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
      expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
      expect(clock.pending).toBe(0);
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    },
  );

  test("resolves withoutShutdown() of our client after the whole response was read", async () => {
    const [io, far] = await make();
    const { sender, connection } = await connectTo(io);
    const parts = connection.withoutShutdown();
    const pending = sender.sendRequest(GET);
    await turns();
    await send(far, answer("200 OK", "Content-Length: 0", "Connection: close"));
    expect((await pending).status).toBe(200);
    expect((await parts).io).toBe(io);
  });
});

describe("L13: over a workerd socket", () => {
  test("an abort reaches the peer at once, and cancels no stream", async () => {
    const [io, far] = await workerSocket();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io);
    const failure = rejection(sender.sendRequest(GET));
    await peer.readHead();
    connection.abort();
    expect(await failure).toBe("ABORTED");
    expect(await peer.readToEnd()).toBe("");
    expect(io.ends).toEqual(["writer.close", "close"]);
  });

  test("a body that throws does not end cleanly: the peer sees that it was truncated", async () => {
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

  test.each(ROLES)("our %s hands it over at a switch, with neither stream locked", async (role) => {
    const [io, far] = await workerSocket();
    const { parts } = await switching(role, "upgrade", io as never, new ScriptedPeer(far), "early");
    expect(Buffer.from((await parts).readBuf).toString()).toBe("early");
    expect([io.readable.locked, io.writable.locked, io.ends]).toEqual([false, false, []]);
  });
});
