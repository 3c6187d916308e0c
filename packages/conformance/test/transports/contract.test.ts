import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, ManualClock, memoryPair } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { answer, head, POST } from "../../src/messages.ts";
import { webPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
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
      const { connection } = await serve(io, async (request) => {
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
        : await serve(io, () => undefined, { clock });
    const peer = new ScriptedPeer(far as never);
    await turns();
    const cause = new Error("enough");
    connection.abort(cause);
    expect(await peer.failed()).toMatchObject({ code: "ABORTED", cause });
    await expect(peer.send("x")).rejects.toMatchObject({ code: "ABORTED", cause });
  },
);

describe("L13: a head that does not end", () => {
  const late = async (bytes: string) => {
    const [io, far] = memoryPair();
    const clock = new ManualClock();
    const peer = new ScriptedPeer(far);
    await serve(io, () => ({ status: 204 }), { clock, date: false });
    if (bytes !== "") await peer.send(bytes);
    await turns();
    clock.advance(30_000);
    return peer.readToEnd();
  };

  test("gets a 408 from its first byte on", async () => {
    expect(await late("G")).toMatch(/^HTTP\/1\.1 408 /);
    expect(await late("\r\nG")).toMatch(/^HTTP\/1\.1 408 /);
  });

  test("gets nothing before its first byte", async () => {
    for (const nothing of ["", "\r\n", "\r\n\r\n"]) expect(await late(nothing)).toBe("");
  });
});

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
