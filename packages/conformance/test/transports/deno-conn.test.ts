import { handshake as connectTo, upgrade } from "@upgrade/client";
import { rewind, tunnel } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET, head } from "../../src/messages.ts";
import { connPair, StandInConn } from "../../src/pairs/deno-conn.ts";
import { destroyPairs, tcpPair } from "../../src/pairs/pairs.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ROLES, switching } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

/** A Deno.Conn, and the socket at its far end. */
async function joined() {
  const [near, far] = await tcpPair({ allowHalfOpen: true });
  return { io: new StandInConn(near), far, peer: new ScriptedPeer(far) };
}

const none = { readBuf: new Uint8Array(0), readEnded: false };

describe("a Deno.Conn is driven by its own methods, never by its streams:", () => {
  test("our client and our server use it, and close it once each", async () => {
    const [near, far] = await connPair();
    const server = await serve(far, async (request) => ({
      status: 200,
      body: await request.body.text(),
    }));
    const { sender, connection } = await connectTo(near);
    const body = "0123456789".repeat(20_000);
    const response = await sender.sendRequest({ ...GET, method: "POST", body });
    expect(await response.body.text()).toBe(body);
    expect((await connection.close()).kind).toBe("closed");
    expect((await server.connection.closed).kind).toBe("peer-ended");
    await turns();
    expect([near.closes, far.closes]).toEqual([1, 1]);
  });

  test("a request followed by FIN gets a later response", async () => {
    const { io, peer } = await joined();
    let call!: () => void;
    const called = new Promise<void>((resolve) => {
      call = resolve;
    });
    let answer!: () => void;
    const { connection } = await serve(
      io,
      async (request) => {
        call();
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        return { status: 200, body: String(request.peerEnded) };
      },
      { halfClose: true },
    );
    await peer.send(head("GET /"));
    await peer.end();
    await called;
    await turns();
    answer();
    expect(await peer.readToEnd()).toMatch(/true$/);
    expect((await connection.closed).kind).toBe("peer-ended");
    expect(io.closes).toBe(1);
  });

  test("the final response of a server arrives, though the client keeps sending", async () => {
    const { io, far, peer } = await joined();
    const body = "too much, ".repeat(20_000);
    await serve(io, () => ({ status: 413, headers: { Connection: "close" }, body }));
    far.write(head("POST /", "Content-Length: 20000000"));
    for (let i = 0; i < 3; i++) {
      far.write(Buffer.alloc(20_000));
      await turns(1);
    }
    await peer.readHead();
    expect(await peer.readToEnd()).toHaveLength(body.length);
  });

  test("an abort closes it at once", async () => {
    const { io, peer } = await joined();
    const { sender, connection } = await connectTo(io);
    const failure = rejection(sender.sendRequest(GET));
    await peer.readHead();
    connection.abort();
    connection.abort();
    expect(await failure).toBe("ABORTED");
    expect(await peer.readToEnd()).toBe("");
    expect(io.closes).toBe(1);
  });
});

describe("L2: a Deno.Conn is handed over as it was passed in", () => {
  test.each(ROLES)("by our %s, open and with no read pending", async (role) => {
    const { io, peer } = await joined();
    const { parts } = await switching(role, "upgrade", io as never, peer, "early");
    const taken = (await parts) as unknown as { io: StandInConn; readBuf: Uint8Array };
    expect(taken.io).toBe(io);
    expect(Buffer.from(taken.readBuf).toString()).toBe("early");
    await peer.send("late");
    const buffer = new Uint8Array(100);
    const count = await io.read(buffer);
    expect(Buffer.from(buffer.subarray(0, count!)).toString()).toBe("late");
    expect(io.closes).toBe(0);
  });

  test("while idle it has a pending read, which cannot be withdrawn", async () => {
    const { io } = await joined();
    const { connection } = await connectTo(io);
    for (const force of [false, true] as const) {
      expect(() => connection.intoParts({ force } as never)).toThrow(
        expect.objectContaining({ code: "READ_PENDING" }),
      );
    }
  });

  test("rewound, it reads readBuf first, into a buffer of any size", async () => {
    const { io, peer } = await joined();
    const { parts } = await switching("server", "upgrade", io as never, peer, "early");
    const again = rewind((await parts) as never) as StandInConn;
    await peer.send("late");
    await peer.end();
    let text = "";
    const buffer = new Uint8Array(3);
    for (let count = await again.read(buffer); count !== null; count = await again.read(buffer)) {
      text += Buffer.from(buffer.subarray(0, count)).toString();
    }
    expect(text).toBe("earlylate");
    await again.write(Buffer.from("bye"));
    await again.closeWrite();
    expect(await peer.readToEnd()).toBe("bye");
  });

  test("rewound after its end, it ends", async () => {
    const { io } = await joined();
    const again = rewind({ io, readBuf: new Uint8Array(0), readEnded: true });
    expect(await again.read(new Uint8Array(1))).toBe(null);
    again.close();
    expect(io.closes).toBe(1);
  });
});

test("a tunnel between two Deno.Conns passes a half-close on, and closes both", async () => {
  const [left, right] = [await joined(), await joined()];
  const done = tunnel({ io: left.io, ...none }, { io: right.io, ...none });
  await left.peer.send("question");
  await left.peer.end();
  expect(await right.peer.readToEnd()).toBe("question");
  await right.peer.send("answer");
  await right.peer.end();
  expect(await left.peer.readToEnd()).toBe("answer");
  expect(await done).toEqual({ aToB: 8, bToA: 6, endedBy: "a" });
  await turns();
  expect([left.io.closes, right.io.closes]).toEqual([1, 1]);
});

test("upgrade() over a Deno.Conn returns the same Conn", async () => {
  const { io, peer } = await joined();
  const pending = upgrade(io, { target: "/", protocol: "chat", headers: { Host: "a.test" } });
  await peer.readHead();
  await peer.send("HTTP/1.1 101 x\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\nhello");
  const result = await pending;
  if (!result.switched) throw new Error("it was refused");
  expect(result.io).toBe(io);
  expect(Buffer.from(result.readBuf).toString()).toBe("hello");
});
