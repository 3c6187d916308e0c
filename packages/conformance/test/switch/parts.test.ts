import { handshake as connectTo } from "@upgrade/client";
import { ManualClock, memoryPair, type Parts } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET, latin1 } from "../../src/messages.ts";
import { destroyPairs, duplexPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { PROPOSAL, REQUEST, ROLES, switching } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);
const HELLO = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";
const HELLO_101 = {
  status: 101,
  headers: { Connection: "Upgrade", Upgrade: "chat" },
};
const code = (code: string) => expect.objectContaining({ code });

describe("L3: intoParts, unless forced, changes nothing if it throws", () => {
  test("a client with a pending request", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io);
    const sent = sender.sendRequest(GET);
    expect(() => connection.intoParts()).toThrow(code("STILL_WRITING"));
    await peer.readHead();
    expect(() => connection.intoParts()).toThrow(code("STILL_WRITING"));
    await peer.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no");
    const response = await sent;
    expect(() => connection.intoParts()).toThrow(code("STILL_WRITING"));
    await peer.send("k");
    expect(await response.body.text()).toBe("ok");
    expect(connection.intoParts()).toEqual({ io, readBuf: new Uint8Array(0), readEnded: false });
  });

  test("a server with a pending request", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    let answer!: () => void;
    const { connection } = await serve(io, async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return { status: 204 };
    });
    await peer.send(HELLO);
    await turns();
    expect(() => connection.intoParts()).toThrow(code("STILL_WRITING"));
    answer();
    expect(await peer.readHead()).toMatch("204");
    await turns();
    expect(connection.intoParts().io).toBe(io);
  });

  test("bytes that are not accepted yet", async () => {
    const [io, far] = memoryPair(1);
    const peer = new ScriptedPeer(far);
    const { connection } = await serve(io, () => ({ status: 204 }));
    const slow = memoryPair(1);
    const { connection: stuck } = await serve(slow[0], () => ({ status: 204 }));
    await Promise.all([peer.send(HELLO), slow[1].write([Buffer.from(HELLO)])]);
    await peer.readHead();
    await turns();
    expect(() => stuck.intoParts()).toThrow(code("STILL_WRITING"));
    expect(connection.intoParts().io).toBe(io);
    expect(latin1((await slow[1].read())!)).toMatch("204");
    await turns();
    expect(stuck.intoParts().io).toBe(slow[0]);
  });

  test.each([{}, { force: true } as const])(
    "a read that cannot be withdrawn, with %o",
    async (options) => {
      const [io, far] = memoryPair();
      const peer = new ScriptedPeer(far);
      const { connection } = await serve(bareStream(io), () => ({ status: 204 }));
      expect(() => connection.intoParts(options as never)).toThrow(code("READ_PENDING"));
      await peer.send(HELLO);
      expect(await peer.readHead()).toMatch("204");
      expect(() => connection.intoParts(options as never)).toThrow(code("READ_PENDING"));
    },
  );

  test.each(ROLES)("a %s that has switched needs no withdrawal", async (role) => {
    const [near, far] = memoryPair();
    const io = bareStream(near);
    const { parts } = await switching(role, "upgrade", io, new ScriptedPeer(far), "early");
    expect(latin1((await parts).readBuf)).toBe("early");
  });
});

describe("L8: the parts have one owner", () => {
  test("intoParts is named in every later error", async () => {
    const [io] = memoryPair();
    const { connection } = await connectTo(io);
    const waiting = connection.withoutShutdown();
    connection.intoParts();
    const taken = { code: "ALREADY_TAKEN", message: expect.stringContaining("by intoParts") };
    expect(() => connection.intoParts()).toThrow(expect.objectContaining(taken));
    expect(() => connection.intoParts({ force: true })).toThrow(expect.objectContaining(taken));
    await expect(waiting).rejects.toMatchObject(taken);
  });

  test.each(["switchTo", "takeOver"] as const)("%s is named", async (how) => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    let taken!: Promise<Parts<unknown>>;
    const { connection } = await serve(io, (request) => {
      taken = how === "switchTo" ? request.switchTo("chat") : request.takeOver();
    });
    await peer.send(REQUEST.upgrade);
    await turns();
    await taken;
    expect(() => connection.intoParts()).toThrow(
      expect.objectContaining({ code: "ALREADY_TAKEN", message: expect.stringContaining(how) }),
    );
    await expect(connection.withoutShutdown()).rejects.toMatchObject({ code: "ALREADY_TAKEN" });
  });

  test("withoutShutdown twice is one promise, and is named", async () => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const { connection } = await serve(io, () => HELLO_101);
    const parts = connection.withoutShutdown();
    expect(connection.withoutShutdown()).toBe(parts);
    await peer.send(REQUEST.upgrade);
    expect((await parts).switched).toMatchObject({ protocol: "chat" });
    expect(connection.withoutShutdown()).toBe(parts);
    expect(() => connection.intoParts()).toThrow(
      expect.objectContaining({ message: expect.stringContaining("by withoutShutdown") }),
    );
  });
});

test("an action that comes too late is reported to onError, even if its promise is ignored", async () => {
  const unhandled = watchUnhandled();
  const [io, far] = memoryPair();
  const peer = new ScriptedPeer(far);
  const reports: unknown[] = [];
  await serve(
    io,
    (request) => {
      void request.switchTo("chat");
      void request.switchTo("chat");
      void request.takeOver();
    },
    { onError: (error, { phase }) => void reports.push([(error as { code: string }).code, phase]) },
  );
  await peer.send(REQUEST.upgrade);
  expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 101 /);
  expect(reports).toEqual([
    ["ALREADY_ANSWERED", "switch"],
    ["ALREADY_ANSWERED", "switch"],
  ]);
  expect(await unhandled.settled()).toEqual([]);
  unhandled.stop();
});

describe("L13: an unclaimed switched connection", () => {
  test("is aborted after claimMs, which is reported to onError", async () => {
    const clock = new ManualClock();
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const reports: unknown[] = [];
    const onError = (error: unknown): void => void reports.push(error);
    const { connection } = await serve(io, () => HELLO_101, { clock, onError, claimMs: 500 });
    await peer.send(`${REQUEST.upgrade}early`);
    await peer.readHead();
    await turns();
    clock.advance(499);
    expect(peer.failure).toBe(undefined);
    clock.advance(1);
    await peer.failed();
    expect(reports).toEqual([code("SWITCH_UNCLAIMED")]);
    expect(connection.closeReason).toMatchObject({ error: { code: "SWITCH_UNCLAIMED" } });
    await expect(connection.pollWithoutShutdown()).rejects.toMatchObject({
      code: "SWITCH_UNCLAIMED",
    });
    expect(clock.pending).toBe(0);
  });

  test("is aborted after claimMs on a client, too", async () => {
    const clock = new ManualClock();
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io, { clock, claimMs: 500 });
    const sent = sender.sendRequest(PROPOSAL.upgrade);
    await peer.readHead();
    await peer.send("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n");
    await sent;
    clock.advance(500);
    await peer.failed();
    expect(connection.closeReason).toMatchObject({ error: { code: "SWITCH_UNCLAIMED" } });
  });

  test.each(ROLES)("a %s keeps its error listener until then, and reads nothing", async (role) => {
    const unhandled = watchUnhandled();
    const [io, far] = duplexPair();
    io.removeAllListeners("error");
    const peer = new ScriptedPeer(far);
    if (role === "server") {
      await serve(io, () => HELLO_101);
      await peer.send(REQUEST.upgrade);
      await peer.readHead();
    } else {
      const { sender } = await connectTo(io);
      const sent = sender.sendRequest(PROPOSAL.upgrade);
      await peer.send("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n");
      await sent;
    }
    await peer.send("this is never read");
    expect(io.readableLength).toBe("this is never read".length);
    peer.reset();
    await turns();
    expect(io.destroyed).toBe(true);
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
});

describe("after the hand-over", () => {
  test.each(ROLES)("nothing of a %s touches the io", async (role) => {
    const clock = new ManualClock();
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const controller = new AbortController();
    const { signal } = controller;
    const { connection, parts } = await switchedBy(role);
    await parts;
    const closing = [connection.close({ signal }), connection.close({ timeoutMs: 1 })];
    connection.abort("too late");
    controller.abort();
    await connection[Symbol.asyncDispose]();
    clock.advance(1_000_000);
    expect(await Promise.all(closing)).toEqual([
      expect.objectContaining({ kind: "switched" }),
      expect.objectContaining({ kind: "switched" }),
    ]);
    await connection.run();
    expect(clock.pending).toBe(0);
    const next = new ScriptedPeer(io);
    await next.send("alive");
    expect(await peer.read(5)).toBe("alive");
    await peer.send("well");
    expect(await next.read(4)).toBe("well");

    async function switchedBy(role: "client" | "server") {
      if (role === "server") {
        let parts!: Promise<unknown>;
        const { connection } = await serve(
          io,
          (request) => {
            parts = request.switchTo("chat");
          },
          { clock },
        );
        await peer.send(REQUEST.upgrade);
        await peer.readHead();
        return { connection, parts };
      }
      const { sender, connection } = await connectTo(io, { clock });
      const sent = sender.sendRequest(PROPOSAL.upgrade, { signal });
      await peer.readHead();
      await peer.send("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n");
      await sent;
      return { connection, parts: connection.withoutShutdown() };
    }
  });
});
