import { handshake as connectTo } from "@upgrade/client";
import { memoryPair, type Parts } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { destroyPairs, duplexPair, PAIRS, webPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ANSWER, KINDS, PROPOSAL, REQUEST, ROLES, switching } from "../../src/switching.ts";

afterEach(destroyPairs);

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

describe.each(PAIRS)("over $name", ({ make }) => {
  describe.each(ROLES)("our %s", (role) => {
    test.each(KINDS)("%s: the same io, the bytes after the head, and both ways", async (kind) => {
      const [io, far] = await make();
      const peer = new ScriptedPeer(far);
      const { parts } = await switching(role, kind, io, peer, "early \x00\xff");
      const { io: back, readBuf, readEnded, switched } = await parts;
      expect(back).toBe(io);
      const next = new ScriptedPeer(back);
      const early = latin1(readBuf) + (await next.read(8 - readBuf.length));
      expect(early).toBe("early \x00\xff");
      expect(readBuf.buffer.byteLength).toBe(readBuf.length);
      expect(readEnded).toBe(false);
      expect(switched).toMatchObject({ kind, protocol: kind === "upgrade" ? "chat" : "a.test:80" });
      await next.send("from us");
      expect(await peer.read(7)).toBe("from us");
      await peer.send("from them");
      expect(await next.read(9)).toBe("from them");
      await next.end();
      await peer.end();
      expect([await next.readToEnd(), await peer.readToEnd()]).toEqual(["", ""]);
    });
  });

  test.each(KINDS)("%s: both ends ours, the server sends first", async (kind) => {
    const [near, far] = await make();
    let taken!: Promise<Parts<unknown>>;
    await serve(far, (request) => {
      const protocol = kind === "upgrade" ? "chat" : undefined;
      taken = request.switchTo(protocol, { firstBytes: "hello" });
    });
    const { sender, connection } = await connectTo(near);
    const [response] = await Promise.all([
      sender.sendRequest(PROPOSAL[kind]),
      connection.pollWithoutShutdown(),
    ]);
    expect(response.status).toBe(kind === "upgrade" ? 101 : 200);
    const ours = connection.intoParts();
    const theirs = await taken;
    expect([ours.io, theirs.io]).toEqual([near, far]);
    const [a, b] = [new ScriptedPeer(near), new ScriptedPeer(far)];
    expect(latin1(ours.readBuf) + (await a.read(5 - ours.readBuf.length))).toBe("hello");
    await a.send("ping");
    expect(await b.read(4)).toBe("ping");
    await b.send("pong");
    expect(await a.read(4)).toBe("pong");
  });
});

// On these transports one chunk is one write, so writes can be counted.
const COUNTED = [
  { name: "memory pair", make: () => memoryPair() },
  { name: "WHATWG pair", make: () => webPair() },
  { name: "Duplex", make: () => duplexPair() },
] as const;

describe.each(COUNTED)("over a $name that counts writes", ({ make }) => {
  test.each([
    ["text", "hello"],
    ["bytes", Buffer.from("hello")],
  ])("the first bytes, as %s, are sent in the same write as the head", async (_, firstBytes) => {
    const [near, far] = make();
    const peer = new ScriptedPeer(near as never);
    await serve(far, async (request) => {
      await request.switchTo("chat", { firstBytes });
    });
    await peer.send(REQUEST.upgrade);
    const head = await peer.readHead();
    expect(await peer.read(5)).toBe("hello");
    expect(head).toMatch(/^HTTP\/1\.1 101 /);
    expect(peer.chunks).toHaveLength(1);
  });

  test("those of a returned 101 are, too", async () => {
    const [near, far] = make();
    const peer = new ScriptedPeer(near as never);
    const { connection } = await serve(far, () => ({
      status: 101,
      headers: { Connection: "Upgrade", Upgrade: "chat" },
      firstBytes: "hello",
    }));
    await peer.send(`${REQUEST.upgrade}early`);
    await peer.readHead();
    expect(await peer.read(5)).toBe("hello");
    expect(peer.chunks).toHaveLength(1);
    const parts = await connection.withoutShutdown();
    expect(latin1(parts.readBuf)).toBe("early");
    expect(parts.switched?.response.status).toBe(101);
  });

  test("the client's request, head and body, is one write", async () => {
    const [near, far] = make();
    const peer = new ScriptedPeer(far as never);
    const { sender, connection } = await connectTo(near);
    const sent = sender.sendRequest({ ...PROPOSAL.upgrade, method: "POST", body: "please" });
    const poll = connection.pollWithoutShutdown();
    await peer.readUntil("please");
    expect(peer.chunks).toHaveLength(1);
    await peer.send(ANSWER.upgrade);
    expect((await sent).status).toBe(101);
    expect(await poll).toEqual({ kind: "switched", protocol: "chat" });
  });
});
