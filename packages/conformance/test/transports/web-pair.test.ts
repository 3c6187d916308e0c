import { handshake as connectTo } from "@upgrade/client";
import type { Connection, Parts } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { GET, latin1 } from "../../src/messages.ts";
import { type WebEnd, webPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { PROPOSAL, REQUEST, ROLES, switching } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

/** A pair like workerd's: a lock is not released while a read is pending. */
function keepingLocks({ readable, writable }: WebEnd) {
  return {
    readable: {
      get locked() {
        return readable.locked;
      },
      getReader() {
        const reader = readable.getReader();
        let pending = 0;
        return {
          closed: reader.closed,
          async read() {
            pending++;
            try {
              return await reader.read();
            } finally {
              pending--;
            }
          },
          cancel: (reason: unknown) => reader.cancel(reason),
          releaseLock() {
            if (pending > 0) throw new TypeError("a read is pending");
            reader.releaseLock();
          },
        };
      },
    },
    writable,
  };
}

describe("L2 same object, over a WHATWG pair", () => {
  test.each(ROLES)(
    "our %s leaves both sides unlocked, and no rejection unhandled",
    async (role) => {
      const unhandled = watchUnhandled();
      const [io, far] = webPair();
      const { parts } = await switching(
        role,
        "upgrade",
        io as never,
        new ScriptedPeer(far as never),
      );
      expect((await parts).io).toBe(io);
      expect([io.readable.locked, io.writable.locked]).toEqual([false, false]);
      expect(await unhandled.settled()).toEqual([]);
      unhandled.stop();
    },
  );

  test.each(ROLES)("an idle %s is not taken apart in one step, and persists", async (role) => {
    const [io, far] = webPair();
    const peer = new ScriptedPeer(far as never);
    const client = role === "client" ? await connectTo(io) : undefined;
    const { connection } = client ?? (await serve(io, () => ({ status: 204 })));
    await turns();
    for (let i = 0; i < 3; i++) {
      expect(() => connection.intoParts()).toThrow(
        expect.objectContaining({ code: "READ_PENDING" }),
      );
    }
    const sent = client?.sender.sendRequest(GET);
    if (sent === undefined) await peer.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await peer.readHead();
    if (sent !== undefined) await peer.send("HTTP/1.1 204 x\r\n\r\n");
    expect((await sent)?.status ?? 204).toBe(204);
    expect(connection.closeReason).toBe(undefined);
  });

  const IDLE_ENDS: Record<string, (connection: Connection<WebEnd>) => Promise<Parts<WebEnd>>> = {
    "by close(), after withoutShutdown()": (connection) => {
      const parts = connection.withoutShutdown();
      void connection.close();
      return parts;
    },
    "by force": async (connection) => {
      const { late, unsent, ...parts } = connection.intoParts({ force: true });
      expect([await late, unsent]).toEqual([new Uint8Array(0), new Uint8Array(0)]);
      return parts;
    },
  };

  test.each(Object.keys(IDLE_ENDS))("an idle client is taken apart %s", async (how) => {
    const unhandled = watchUnhandled();
    const [io, far] = webPair();
    const { connection } = await connectTo(io);
    await turns();
    const parts = await IDLE_ENDS[how]!(connection);
    expect(parts).toEqual({ io, readBuf: new Uint8Array(0), readEnded: false });
    expect(parts.io).toBe(io);
    expect([io.readable.locked, io.writable.locked]).toEqual([false, false]);
    const reader = io.readable.getReader();
    const read = reader.read();
    void new ScriptedPeer(far as never).send("all of it");
    expect(latin1((await read).value!)).toBe("all of it");
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("an object with its own read and write besides its streams is a pair", async () => {
    const [{ readable, writable }, far] = webPair();
    const never = () => Promise.reject(new Error("not by this door"));
    const io = { readable, writable, read: never, write: never, closeWrite: never, abort: never };
    const peer = new ScriptedPeer(far as never);
    const { sender } = await connectTo(io);
    const sent = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send("HTTP/1.1 204 x\r\n\r\n");
    expect((await sent).status).toBe(204);
  });
});

test.each(ROLES)("L2: no lock of an aborted %s stays, whatever was in progress", async (role) => {
  const unhandled = watchUnhandled();
  for (const isBusy of [false, true]) {
    const [io, far] = webPair();
    const peer = new ScriptedPeer(far as never);
    const body = "x".repeat(100_000);
    const client = role === "client" ? await connectTo(io) : undefined;
    const { connection } = client ?? (await serve(io, () => ({ status: 200, body })));
    if (isBusy && client !== undefined) {
      client.sender.sendRequest({ ...GET, method: "POST", body }).catch(() => {});
    } else if (isBusy) {
      await peer.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
    }
    await Promise.resolve();
    connection.abort("enough");
    connection.abort("again");
    expect([io.readable.locked, io.writable.locked]).toEqual([false, false]);
  }
  expect(await unhandled.settled()).toEqual([]);
  unhandled.stop();
});

test.each(ROLES)("L9: a %s whose lock is not released is aborted anyway", async (role) => {
  const unhandled = watchUnhandled();
  const [near, far] = webPair();
  const io = keepingLocks(near);
  const peer = new ScriptedPeer(far as never);
  const { connection } = role === "client" ? await connectTo(io) : await serve(io, () => undefined);
  await turns();
  connection.abort("enough");
  await peer.failed();
  expect(await unhandled.settled()).toEqual([]);
  unhandled.stop();
});

describe("L17 no reading ahead: if a lock with a pending read is not released", () => {
  test.each(ROLES)("our %s switches anyway", async (role) => {
    const [near, far] = webPair();
    const io = keepingLocks(near);
    const peer = new ScriptedPeer(far as never);
    const { parts } = await switching(role, "upgrade", io as never, peer, "early");
    const { readBuf } = await parts;
    expect(latin1(readBuf)).toBe("early");
    expect([near.readable.locked, near.writable.locked]).toEqual([false, false]);
  });

  test.each([{}, { force: true }] as never[])(
    "intoParts(%o) throws, and changes nothing",
    async (options) => {
      const [near, far] = webPair();
      const peer = new ScriptedPeer(far as never);
      const { connection } = await serve(keepingLocks(near), () => ({ status: 204 }));
      await turns();
      expect(() => connection.intoParts(options)).toThrow(
        expect.objectContaining({ code: "READ_PENDING" }),
      );
      await peer.send("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n");
      expect(await peer.readHead()).toMatch("204");
    },
  );

  test("a server with a read from before the proposal switches when that has finished", async () => {
    const [near, far] = webPair();
    const peer = new ScriptedPeer(far as never);
    let go!: () => void;
    const { connection } = await serve(keepingLocks(near), async (request) => {
      if (request.proposal !== undefined) {
        return { status: 101, headers: { Connection: "Upgrade", Upgrade: "chat" } };
      }
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      return { status: 204 };
    });
    const parts = connection.withoutShutdown();
    await peer.send(`GET / HTTP/1.1\r\nHost: a.test\r\n\r\n${REQUEST.upgrade}`);
    await turns();
    go();
    await peer.readHead();
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 /);
    await peer.send("early");
    expect(latin1((await parts).readBuf)).toBe("early");
  });
});

describe("L18 the peer is gone, over a WHATWG pair", () => {
  test("while a proposal waits: the writable reports it, without a read", async () => {
    const [io, far] = webPair();
    const peer = new ScriptedPeer(far as never);
    const { connection } = await serve(io, () => new Promise(() => {}));
    await peer.send(REQUEST.upgrade);
    await turns();
    peer.reset();
    expect(await connection.closed).toMatchObject({ error: { code: "TRANSPORT_FAILED" } });
  });

  test.each(ROLES)("an aborted %s fails both sides of its peer", async (role) => {
    const unhandled = watchUnhandled();
    const [io, far] = webPair();
    const peer = new ScriptedPeer(far as never);
    const { connection } =
      role === "client" ? await connectTo(io) : await serve(io, () => undefined);
    await turns();
    connection.abort("enough");
    await peer.failed();
    expect(peer.ended).toBe(false);
    await expect(peer.send("x")).rejects.toBeDefined();
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("a chunk that is not a Uint8Array is a failure of the transport", async () => {
    const [io, far] = webPair();
    const { sender, connection } = await connectTo(io);
    const sent = sender.sendRequest(PROPOSAL.upgrade);
    const writer = far.writable.getWriter();
    writer.write("HTTP/1.1 200 OK" as never).catch(() => {});
    await expect(sent).rejects.toMatchObject({
      code: "TRANSPORT_FAILED",
      message: expect.stringContaining("string"),
    });
    expect((await connection.closed).kind).toBe("failed");
  });
});
