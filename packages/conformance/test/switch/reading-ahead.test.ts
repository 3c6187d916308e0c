import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, memoryPair, type Parts } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET, latin1 } from "../../src/messages.ts";
import { destroyPairs, duplexPair, PAIRS } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { ANSWER, KINDS, PROPOSAL, REQUEST } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

/** A stream that counts started and pending reads. */
function counting(stream: ByteStream, withdraws: boolean) {
  const reads = { begun: 0, pending: 0 };
  const io: ByteStream = {
    ...bareStream(stream),
    read() {
      reads.begun++;
      reads.pending++;
      const settle = (): void => void reads.pending--;
      const read = stream.read();
      read.then(settle, settle);
      return read;
    },
  };
  return { io: withdraws ? { ...io, cancelRead: () => stream.cancelRead!() } : io, reads };
}

const WITHDRAWAL = [
  ["can be withdrawn", true],
  ["cannot be withdrawn", false],
] as const;

describe.each(WITHDRAWAL)("L17 no reading ahead, if a read %s", (_, withdraws) => {
  test.each(KINDS)("our server: none while a %s waits for its answer", async (kind) => {
    const [near, far] = memoryPair();
    const { io, reads } = counting(near, withdraws);
    const peer = new ScriptedPeer(far);
    let go!: () => void;
    let parts!: Promise<Parts<ByteStream>>;
    await serve(io, async (request) => {
      await new Promise<void>((resolve) => {
        go = resolve;
      });
      parts = request.switchTo(kind === "upgrade" ? "chat" : undefined);
      await parts;
    });
    await peer.send(REQUEST[kind]);
    await turns();
    expect(reads).toEqual({ begun: 1, pending: 0 });
    await peer.send("early");
    await turns();
    expect(reads).toEqual({ begun: 1, pending: 0 });
    go();
    await peer.readHead();
    expect((await parts).readBuf).toHaveLength(0);
    expect(reads).toEqual({ begun: 1, pending: 0 });
    expect(latin1((await near.read())!)).toBe("early");
  });

  test("our server: only up to the last byte of the proposal's body", async () => {
    const [near, far] = memoryPair();
    const { io, reads } = counting(near, withdraws);
    const peer = new ScriptedPeer(far);
    await serve(io, (request) => {
      void request.switchTo("chat");
    });
    const request = REQUEST.upgrade
      .replace("GET", "POST")
      .replace("Host", "Content-Length: 2\r\nHost");
    await peer.send(request);
    await turns();
    expect(reads.pending).toBe(1);
    await peer.send("1");
    await turns();
    expect(reads.pending).toBe(1);
    await peer.send("2");
    await peer.readHead();
    await turns();
    expect(reads).toEqual({ begun: 3, pending: 0 });
  });

  test("our server: continues after a refusal that keeps the connection", async () => {
    const [near, far] = memoryPair();
    const { io, reads } = counting(near, withdraws);
    const peer = new ScriptedPeer(far);
    await serve(io, () => ({ status: 403 }), { keepAliveAfterRefusal: true });
    await peer.send(REQUEST.upgrade);
    await peer.readHead();
    await turns();
    expect(reads.pending).toBe(1);
  });

  test("our server: a read from before the proposal is finished when the io is handed over", async () => {
    const [near, far] = memoryPair();
    const { io, reads } = counting(near, withdraws);
    const peer = new ScriptedPeer(far);
    let go!: () => void;
    let pendingAtHandOver: number | undefined;
    let readBuf: Uint8Array | undefined;
    await serve(io, async (request) => {
      if (request.proposal === undefined) {
        await new Promise<void>((resolve) => {
          go = resolve;
        });
        return { status: 204 };
      }
      void request.switchTo("chat").then((parts) => {
        pendingAtHandOver = reads.pending;
        readBuf = parts.readBuf;
      });
      return undefined;
    });
    await peer.send(`GET / HTTP/1.1\r\nHost: a.test\r\n\r\n${REQUEST.upgrade}`);
    await turns();
    expect(reads.pending).toBe(1);
    go();
    await peer.readHead();
    await peer.readHead();
    await turns();
    // If the read cannot be withdrawn, the hand-over waits for it.
    expect(pendingAtHandOver).toBe(withdraws ? 0 : undefined);
    await peer.send("early");
    await turns();
    expect(pendingAtHandOver).toBe(0);
    expect(latin1(readBuf!)).toBe(withdraws ? "" : "early");
  });

  test.each(KINDS)(
    "our client: one at most while a %s is open, none after its answer",
    async (kind) => {
      const [near, far] = memoryPair();
      const { io, reads } = counting(near, withdraws);
      const peer = new ScriptedPeer(far);
      const { sender, connection } = await connectTo(io);
      const sent = sender.sendRequest(PROPOSAL[kind]);
      const poll = connection.pollWithoutShutdown();
      await peer.readHead();
      await turns();
      expect(reads.pending).toBe(1);
      await peer.send(ANSWER[kind]);
      await sent;
      const { begun } = reads;
      await peer.send("early");
      await poll;
      await turns();
      expect(reads).toEqual({ begun, pending: 0 });
      expect(connection.intoParts().readBuf).toHaveLength(0);
      expect(latin1((await near.read())!)).toBe("early");
    },
  );

  test("our client: none while it still sends its request after an early 101", async () => {
    const [near, far] = memoryPair();
    const { io, reads } = counting(near, withdraws);
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io);
    let finish!: () => void;
    const body = (async function* () {
      yield "first";
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
    })();
    const sent = sender.sendRequest({ ...PROPOSAL.upgrade, method: "POST", body });
    const parts = connection.withoutShutdown();
    await peer.readUntil("first");
    await peer.send(ANSWER.upgrade);
    await sent;
    await turns();
    expect(reads.pending).toBe(0);
    finish();
    expect((await parts).readBuf).toHaveLength(0);
    expect(await peer.readUntil("0\r\n\r\n")).toBe("\r\n0\r\n\r\n");
  });
});

test("L17 no reading ahead: a Duplex keeps what comes while a proposal waits", async () => {
  const [io, far] = duplexPair();
  const peer = new ScriptedPeer(far);
  const { connection } = await serve(io, () => new Promise(() => {}));
  await peer.send(REQUEST.upgrade);
  const { bytesRead } = connection.stats;
  await peer.send("early");
  await turns();
  expect([connection.stats.bytesRead, io.readableLength]).toEqual([bytesRead, 5]);
});

describe.each(PAIRS)("L20: unsolicited bytes, over $name", ({ make }) => {
  const idle = async () => {
    const [io, far] = await make();
    return { peer: new ScriptedPeer(far), ...(await connectTo(io)) };
  };
  const UNASKED = "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\npoison";

  test.each(["\r\n", "x", UNASKED])("%j before the first request closes", async (bytes) => {
    const { peer, sender, connection } = await idle();
    await peer.send(bytes);
    expect(await connection.closed).toMatchObject({ error: { code: "UNEXPECTED_DATA" } });
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({
      code: "NOT_SENT",
      retrySafe: true,
      cause: { code: "UNEXPECTED_DATA" },
    });
    expect(await peer.readToLast()).toBe("");
  });

  test("between two requests it closes, and never answers the second", async () => {
    const { peer, sender, connection } = await idle();
    const first = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    expect((await first).status).toBe(204);
    await turns();
    await peer.send(UNASKED);
    expect(await connection.closed).toMatchObject({ error: { code: "UNEXPECTED_DATA" } });
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({ code: "NOT_SENT" });
  });

  test("right after a response it does not answer the next request, even if that already waits", async () => {
    const { peer, sender, connection } = await idle();
    const first = sender.sendRequest(GET);
    const second = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok${UNASKED}`);
    expect(await (await first).body.text()).toBe("ok");
    await expect(second).rejects.toMatchObject({ sent: "nothing", retrySafe: true });
    expect(await connection.closed).toMatchObject({ error: { code: "UNEXPECTED_DATA" } });
    expect(await peer.readToLast()).toBe("");
  });
});
