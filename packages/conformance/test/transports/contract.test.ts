import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, ManualClock, memoryPair } from "@upgrade/core/io";
import { transportSuite } from "@upgrade/core/testing";
import { handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { answer, head, POST } from "../../src/messages.ts";
import { destroyPairs, webPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { ROLES, switching } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

/** A stream that checks its user's side of the contract. */
function strict(stream: ByteStream) {
  const faults: string[] = [];
  let reading = 0;
  let isOver: string | undefined;
  const use = (what: string): void => {
    if (isOver !== undefined) faults.push(`${what} after ${isOver}`);
  };
  const io: ByteStream = {
    gone: stream.gone!,
    read() {
      use("read");
      if (++reading > 1) faults.push("two reads");
      const read = stream.read();
      const settled = (): void => void reading--;
      read.then(settled, settled);
      return read;
    },
    write(chunks) {
      use("write");
      if (chunks.length === 0 || chunks.some(({ length }) => length === 0)) faults.push("no bytes");
      return stream.write(chunks);
    },
    closeWrite() {
      use("closeWrite");
      isOver = "closeWrite";
      return stream.closeWrite();
    },
    abort(reason) {
      isOver = "abort";
      stream.abort(reason);
    },
    cancelRead: () => {
      const isWithdrawn = stream.cancelRead!();
      // It rejects, some microtasks later: another read may begin before.
      if (isWithdrawn && reading > 0) reading--;
      return isWithdrawn;
    },
  };
  const release = (): void => {
    isOver = "the hand-over";
  };
  return { io, faults, release };
}

describe.each(ROLES)("our %s relies only on the contract of a ByteStream:", (role) => {
  test("one read at a time, no empty write, nothing after an end", async () => {
    const [near, far] = memoryPair(64);
    const { io, faults } = strict(near);
    const peer = new ScriptedPeer(far);
    const body = ["", "x".repeat(100), new Uint8Array(0), "y"];
    if (role === "server") {
      const { connection } = await serveOn(io, async (request) => {
        await request.body.bytes();
        return { status: 200, body };
      });
      for (let i = 0; i < 3; i++) {
        await peer.send(`${head("POST /", "Content-Length: 4")}fo`);
        await peer.send("ur");
        await peer.readUntil("0\r\n\r\n");
      }
      void connection.close();
      await peer.readToEnd();
      await peer.end();
      await connection.closed;
    } else {
      const { sender, connection } = await connectTo(io);
      for (let i = 0; i < 3; i++) {
        const sent = sender.sendRequest({ ...POST, body });
        await peer.readUntil("0\r\n\r\n");
        await peer.send(`${answer("200 OK", "Content-Length: 4")}fo`);
        await peer.send("ur");
        expect(await (await sent).body.text()).toBe("four");
      }
      void connection.close();
      await peer.readToEnd();
      await peer.end();
      await connection.closed;
    }
    expect(faults).toEqual([]);
  });

  test("L17: nothing after the hand-over", async () => {
    const [near, far] = memoryPair();
    const { io, faults, release } = strict(near);
    const peer = new ScriptedPeer(far);
    const { parts, connection } = await switching(role, "upgrade", io, peer, "early");
    await parts;
    release();
    connection.abort("too late");
    await connection.close();
    await peer.end();
    await turns();
    expect(faults).toEqual([]);
  });
});

test.each(ROLES)(
  "L18: over a WHATWG pair the peer of a %s gets the reason of an abort",
  async (role) => {
    const [io, far] = webPair();
    const clock = new ManualClock();
    const { connection } =
      role === "client"
        ? await connectTo(io, { clock })
        : await serveOn(io, () => undefined, { clock });
    const peer = new ScriptedPeer(far as never);
    await turns();
    const cause = new Error("enough");
    connection.abort(cause);
    expect(await peer.failed()).toMatchObject({ code: "ABORTED", cause });
    await expect(peer.send("x")).rejects.toMatchObject({ code: "ABORTED", cause });
  },
);

test("L17: every byte after a proposal in the same chunk is kept", async () => {
  for (const role of ROLES) {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const early = Buffer.alloc(70_000, "e").toString();
    const { parts } = await switching(role, "connect", io, peer, early);
    const { readBuf } = await parts;
    expect([readBuf.length, readBuf.buffer.byteLength]).toEqual([70_000, 70_000]);
  }
});

afterEach(destroyPairs);

describe("a minimal ByteStream", () => {
  // The one optional method, as useless as the contract permits.
  const bare = (stream: ByteStream) => ({ ...bareStream(stream), cancelRead: () => false });
  const cases = transportSuite(() => {
    const [a, b] = memoryPair();
    return [bare(a), bare(b)];
  });
  test.each(cases)("$name", ({ run }) => run());
});

test("a memory pair never delivers synchronously", async () => {
  const [io, far] = memoryPair();
  const order: string[] = [];
  void io.read().then(() => order.push("read"));
  const wrote = far.write([Buffer.from("x")]).then(() => order.push("written"));
  order.push("called");
  await wrote;
  await turns();
  expect(order[0]).toBe("called");
  expect(order.sort()).toEqual(["called", "read", "written"]);
  const { peer, connection } = await serve(() => ({ status: 200 }));
  const before = connection.stats.requests;
  const sent = peer.send(head("GET /"));
  expect(connection.stats.requests).toBe(before);
  await sent;
  await turns();
  expect(connection.stats.requests).toBe(1);
});
