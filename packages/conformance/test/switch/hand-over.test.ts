import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, ManualClock, memoryPair, type Parts } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { GET, head } from "../../src/messages.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ANSWER, KINDS, PROPOSAL, REQUEST } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

describe("L2 same object: no timer of ours is left", () => {
  test.each(KINDS)("after a server's switch, %s", async (kind) => {
    const [io, far] = memoryPair();
    const clock = new ManualClock();
    const peer = new ScriptedPeer(far);
    const taken = new Promise<Parts<ByteStream>>((resolve) => {
      const protocol = kind === "upgrade" ? "chat" : undefined;
      void serve(io, (request) => request.switchTo(protocol).then(resolve), {
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
      const { connection } = await serve(io, () => new Promise<never>(() => {}), {
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
