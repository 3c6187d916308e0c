import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, ManualClock, memoryPair, type Parts } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET, head, latin1 } from "../../src/messages.ts";
import { destroyPairs, PAIRS } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { HostileStream } from "../../src/streams/hostile-stream.ts";
import { ANSWER, KINDS, PROPOSAL, REQUEST, ROLES, switching } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

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
    await serveOn(far, (request) => {
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

describe("L2 same object: no timer of ours is left", () => {
  test.each(KINDS)("after a server's switch, %s", async (kind) => {
    const [io, far] = memoryPair();
    const clock = new ManualClock();
    const peer = new ScriptedPeer(far);
    const taken = new Promise<Parts<ByteStream>>((resolve) => {
      const protocol = kind === "upgrade" ? "chat" : undefined;
      void serveOn(io, (request) => request.switchTo(protocol).then(resolve), {
        clock,
        maxAgeMs: 1_000,
      });
    });
    expect(clock.pending).toBeGreaterThan(0);
    await peer.send(REQUEST[kind]);
    expect((await taken).io).toBe(io);
    expect(clock.pending).toBe(0);
  });

  test.each(KINDS)("after a client's, %s", async (kind) => {
    const [io, far] = memoryPair();
    const clock = new ManualClock();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io, { clock, maxAgeMs: 1_000 });
    void sender.sendRequest(PROPOSAL[kind]);
    const over = connection.pollWithoutShutdown();
    await peer.readHead();
    await peer.send(ANSWER[kind]);
    await over;
    expect(clock.pending).toBeGreaterThan(0);
    expect(connection.intoParts().io).toBe(io);
    expect(clock.pending).toBe(0);
  });

  test("taken apart while idle, and by force during a request", async () => {
    for (const force of [false, true]) {
      const [io, far] = memoryPair();
      const clock = new ManualClock();
      const peer = new ScriptedPeer(far);
      const { connection } = await serveOn(io, () => new Promise<never>(() => {}), {
        clock,
        maxAgeMs: 1_000,
      });
      if (force) await peer.send(head("POST /", "Content-Length: 9"));
      await turns();
      expect(clock.pending).toBeGreaterThan(0);
      expect(connection.intoParts({ force: force as true }).io).toBe(io);
      expect(clock.pending).toBe(0);
    }
  });

  test("and an earlier signal does not affect the io", async () => {
    const [io, far] = memoryPair();
    const clock = new ManualClock();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io, { clock });
    const aborter = new AbortController();
    const closing = new AbortController();
    void sender.sendRequest(PROPOSAL.upgrade, { signal: aborter.signal });
    await peer.readHead();
    await peer.send(ANSWER.upgrade);
    const { io: released } = await connection.withoutShutdown();
    await connection.close({ signal: closing.signal });
    aborter.abort();
    closing.abort();
    connection.abort();
    await released.write([Buffer.from(GET.target)]);
    expect(await peer.read(1)).toBe("/");
    expect(peer.failure).toBeUndefined();
  });
});

const HELLO_101 = { status: 101, headers: { Connection: "Upgrade", Upgrade: "chat" } };

describe("L1 account: however the bytes are cut, each belongs to HTTP or is in readBuf, once, in order", () => {
  describe.each(ROLES)("our %s", (role) => {
    test.each(KINDS)(
      "%s, cut at every position",
      async (kind) => {
        const early = "early\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        const bytes = (role === "client" ? ANSWER[kind] : REQUEST[kind]) + early;
        for (let cut = 1; cut < bytes.length; cut++) {
          const [io, far] = memoryPair();
          const peer = new ScriptedPeer(far);
          let parts: Promise<Parts<ByteStream>>;
          if (role === "client") {
            const { sender, connection } = await connectTo(io);
            void sender.sendRequest(PROPOSAL[kind]);
            parts = connection.withoutShutdown();
            await peer.readHead();
          } else {
            const { connection } = await serveOn(io, () =>
              kind === "upgrade" ? HELLO_101 : { status: 200, tunnel: true },
            );
            parts = connection.withoutShutdown();
          }
          await peer.send(bytes.slice(0, cut));
          await turns(1);
          await peer.send(bytes.slice(cut));
          const { readBuf } = await parts;
          const next = new ScriptedPeer(io);
          const all = latin1(readBuf) + (await next.read(early.length - readBuf.length));
          expect(all, `cut at ${cut}`).toBe(early);
          await turns(1);
          expect(next.unread, `cut at ${cut}`).toBe("");
        }
      },
      20_000,
    );
  });
});

describe("L3 nothing left behind", () => {
  /** A stream that accepts writes only on demand. */
  function slow(stream: ByteStream) {
    const gates: (() => void)[] = [];
    const io: ByteStream = {
      ...bareStream(stream),
      async write(chunks) {
        await new Promise<void>((resolve) => void gates.push(resolve));
        await stream.write(chunks);
      },
      cancelRead: () => stream.cancelRead?.() ?? false,
    };
    return { io, gates };
  }

  test.each(KINDS)("our server: %s waits for the last byte of its head", async (kind) => {
    const [near, far] = memoryPair();
    const { io, gates } = slow(near);
    const peer = new ScriptedPeer(far);
    let released = false;
    const { connection } = await serveOn(io, (request) => {
      const protocol = kind === "upgrade" ? "chat" : undefined;
      void request.switchTo(protocol, { firstBytes: "first" }).then(() => {
        released = true;
      });
    });
    await peer.send(REQUEST[kind]);
    await turns();
    expect([released, gates.length]).toEqual([false, 1]);
    expect(() => connection.intoParts()).toThrow(
      expect.objectContaining({ code: "STILL_WRITING" }),
    );
    gates[0]!();
    expect(await peer.readUntil("first")).toMatch(/^HTTP\/1\.1 (101|200) /);
    await turns();
    expect(released).toBe(true);
  });

  test("our client: an early 101 waits for the tail of the request", async () => {
    const [near, far] = memoryPair();
    const { io, gates } = slow(near);
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io);
    const sent = sender.sendRequest({ ...PROPOSAL.upgrade, method: "POST", body: ["one", "two"] });
    const poll = connection.pollWithoutShutdown();
    let switched = false;
    void poll.then(() => {
      switched = true;
    });
    await turns();
    await peer.send(ANSWER.upgrade);
    expect((await sent).status).toBe(101);
    for (let passed = 0; ; passed++) {
      await turns();
      if (passed === gates.length) break;
      expect([switched, connection.state.client]).toEqual([false, expect.any(String)]);
      expect(() => connection.intoParts()).toThrow(
        expect.objectContaining({ code: "STILL_WRITING" }),
      );
      gates[passed]!();
    }
    expect(await poll).toEqual({ kind: "switched", protocol: "chat" });
    expect(peer.unread).toMatch(/\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n$/);
    connection.intoParts();
  });

  test.each(ROLES)("our %s over a transport that delays every byte", async (role) => {
    const [near, far] = memoryPair();
    const io = new HostileStream(near, { split: 1, delay: 1 });
    const { parts } = await switching(role, "upgrade", io, new ScriptedPeer(far), "early");
    const { readBuf } = await parts;
    const rest = await new ScriptedPeer(io).read(5 - readBuf.length);
    expect(latin1(readBuf) + rest).toBe("early");
  });
});
