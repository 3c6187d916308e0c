import { once } from "node:events";
import type net from "node:net";
import type { Duplex } from "node:stream";
import type { ByteStream, Io, Parts } from "@upgrade/core/io";
import { rewind, handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { bytes } from "../../src/messages.ts";
import {
  destroyPairs,
  duplexPair,
  PAIRS,
  tcpPair,
  tlsPair,
  webPair,
} from "../../src/pairs/pairs.ts";
import { isNodeDuplex, ScriptedPeer } from "../../src/scripted-peer.ts";
import { REQUEST, ROLES, switching } from "../../src/switching.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);
const NONE = new Uint8Array(0);

describe.each(PAIRS)("over $name", ({ make }) => {
  test.each(ROLES)("our %s: the io as if it had never been read", async (role) => {
    const [io, far] = await make();
    const peer = new ScriptedPeer(far);
    const { parts } = await switching(role, "upgrade", io, peer, "early ");
    const rewound = rewind(await parts);
    expect(rewound === io).toBe(isNodeDuplex(io) || (await parts).readBuf.length === 0);
    void peer.send("late");
    const next = new ScriptedPeer(rewound);
    expect(await next.read(10)).toBe("early late");
    await next.send("back");
    expect(await peer.read(4)).toBe("back");
    await peer.end();
    expect(await next.readToEnd()).toBe("");
    await next.end();
    expect(await peer.readToEnd()).toBe("");
  });

  test("a proposal, early bytes and FIN at once: all is read, and the response is sent", async () => {
    const unhandled = watchUnhandled();
    const [io, far] = await make();
    const peer = new ScriptedPeer(far);
    let go!: () => void;
    const went = new Promise<void>((resolve) => {
      go = resolve;
    });
    let taken!: (parts: Promise<Parts<Io>>) => void;
    const parts = new Promise<Parts<Io>>((resolve) => {
      taken = resolve;
    });
    await serve(io, async (request) => {
      await went;
      taken(request.switchTo("chat"));
    });
    void peer.send(`${REQUEST.upgrade}early`);
    void peer.end();
    await turns();
    go();
    const { readEnded } = await parts;
    // If the end has fired, it does not fire again; otherwise it was never read.
    expect(readEnded).toBe(isNodeDuplex(io));
    const next = new ScriptedPeer(rewind(await parts));
    expect(await next.readToEnd()).toBe("early");
    await peer.readHead();
    await next.send("goodbye");
    await next.end();
    expect(await peer.readToEnd()).toBe("goodbye");
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
});

describe("L1 account: an end that came after the hand-over", () => {
  test.each([
    ["TCP", () => tcpPair()],
    ["Duplex", async () => duplexPair(false)],
  ] as const)(
    "over %s, without a reader: early bytes and the end are replayed",
    async (_, make) => {
      const [io, far] = await make();
      const peer = new ScriptedPeer(far);
      const { parts } = await switching("server", "upgrade", io, peer, "early");
      const taken = await parts;
      expect(taken.readEnded).toBe(false);
      await peer.end();
      await turns();
      // A socket reads ahead of its owner: its end has fired without a listener.
      expect(io.readableEnded).toBe("remoteAddress" in io);
      const next = new ScriptedPeer(rewind(taken as Parts<Duplex>));
      expect(await next.readToEnd()).toBe("early");
      expect(next.failure).toBe(undefined);
    },
  );
});

describe("a Duplex that has ended, replayed", () => {
  const ended = async () => {
    const [io, far] = duplexPair();
    far.end();
    io.resume();
    await turns();
    return [io, far] as const;
  };

  test("is a Duplex with its own back-pressure and failure", async () => {
    const [io, far] = await ended();
    const again = rewind({ io: io as Duplex, readBuf: bytes("early"), readEnded: true });
    expect(again).not.toBe(io);
    expect(isNodeDuplex(again)).toBe(true);
    let text = "";
    for await (const chunk of again) text += String(chunk);
    expect(text).toBe("early");
    const failed = new Promise((resolve) => again.once("error", resolve));
    far.destroy(new Error("reset"));
    expect(await failed).toBeInstanceOf(Error);
    expect(again.destroyed).toBe(true);
  });

  test("keeps unread bytes even when its other side has ended", async () => {
    const [io, far] = await ended();
    const again = rewind({ io: io as Duplex, readBuf: bytes("early"), readEnded: true });
    far.resume();
    again.end("bye");
    await turns();
    expect(io.destroyed).toBe(true);
    expect(await new ScriptedPeer(again).readToEnd()).toBe("early");
  });

  test("without bytes it still ends", async () => {
    const [io] = await ended();
    const again = rewind({ io: io as Duplex, readBuf: NONE, readEnded: true });
    expect(await new ScriptedPeer(again).readToEnd()).toBe("");
  });
});

describe("a socket that has ended, replayed,", () => {
  /** An end whose own end was read, rewound, and a peer that uses the other one. */
  async function replayed<Socket extends net.Socket>([io, far]: [Socket, net.Socket]) {
    const peer = new ScriptedPeer(far);
    io.resume();
    void peer.end();
    await once(io, "end");
    return { io, peer, again: rewind({ io, readBuf: bytes("early"), readEnded: true }) };
  }
  const halfOpen = { allowHalfOpen: true };

  test("has what the socket has", async () => {
    const { io, again } = await replayed(await tcpPair(halfOpen));
    expect(again).not.toBe(io);
    const { remoteAddress, remotePort, localPort, bytesRead, connecting } = again;
    expect({ remoteAddress, remotePort, localPort, bytesRead, connecting }).toEqual({
      remoteAddress: io.remoteAddress,
      remotePort: io.remotePort,
      localPort: io.localPort,
      bytesRead: 0,
      connecting: false,
    });
    expect(again.address()).toEqual(io.address());
    // Software for sockets chains them.
    expect(again.setNoDelay(true).setKeepAlive(true).unref().ref()).toBe(again);
    expect(Object.keys(again)).not.toContain("remotePort");
  });

  test("shares what was added to the socket", async () => {
    const [io, far] = await tcpPair(halfOpen);
    const labeled = Object.assign(io, { label: "a" });
    const { again } = await replayed([labeled, far]);
    expect(again.label).toBe("a");
    again.label = "b";
    expect(labeled.label).toBe("b");
  });

  test("times out as the socket does", async () => {
    const { io, again } = await replayed(await tcpPair(halfOpen));
    expect(again.setTimeout(60_000)).toBe(again);
    expect(io.timeout).toBe(60_000);
    const late = once(again, "timeout");
    io.emit("timeout");
    await late;
  });

  test("is TLS if the socket is", async () => {
    const { io, again } = await replayed(await tlsPair(halfOpen));
    expect([again.encrypted, again.authorized]).toEqual([true, io.authorized]);
    expect(again.getProtocol()).toBe(io.getProtocol());
  });

  test("destroySoon() sends what was written before", async () => {
    const { io, peer, again } = await replayed(await tcpPair(halfOpen));
    for (const text of ["one ", "two ", "three"]) again.write(text);
    again.destroySoon();
    expect(await peer.readToEnd()).toBe("one two three");
    if (!io.destroyed) await once(io, "close");
    expect(again.destroyed).toBe(true);
  });

  test("resetAndDestroy() resets the socket", async () => {
    const { peer, again } = await replayed(await tcpPair(halfOpen));
    again.on("error", () => {}).resetAndDestroy();
    expect(await peer.failed()).toMatchObject({ code: "ECONNRESET" });
    expect(again.destroyed).toBe(true);
  });

  test.each([true, false])(
    "ends its side at the end unless half-open: %s",
    async (allowHalfOpen) => {
      const { io, peer } = await replayed(await tcpPair(halfOpen));
      // As it was before the handshake.
      io.allowHalfOpen = allowHalfOpen;
      const again = rewind({ io, readBuf: NONE, readEnded: true }).resume();
      await once(again, "end");
      await turns();
      expect([again.writableEnded, peer.ended]).toEqual([!allowHalfOpen, !allowHalfOpen]);
    },
  );
});

describe("a ByteStream, replayed", () => {
  const calls: string[] = [];
  const stream: ByteStream = {
    async read() {
      calls.push("read");
      return bytes("more");
    },
    write: async () => void calls.push("write"),
    closeWrite: async () => void calls.push("closeWrite"),
    abort: () => void calls.push("abort"),
    cancelRead: () => calls.push("cancelRead") > 0,
    gone: new Promise(() => {}),
  };

  test("has the same shape, and passes on everything after the replayed bytes", async () => {
    calls.length = 0;
    const again = rewind({ io: stream, readBuf: bytes("early"), readEnded: false });
    expect(again.gone).toBe(stream.gone);
    expect(await again.read()).toEqual(bytes("early"));
    expect(calls).toEqual([]);
    expect(await again.read()).toEqual(bytes("more"));
    await again.write([]);
    await again.closeWrite();
    expect(again.cancelRead?.()).toBe(true);
    again.abort("done");
    expect(calls).toEqual(["read", "write", "closeWrite", "cancelRead", "abort"]);
  });

  test("a replayed chunk cannot be withdrawn", async () => {
    const again = rewind({ io: stream, readBuf: bytes("early"), readEnded: false });
    const read = again.read();
    expect(again.cancelRead?.()).toBe(false);
    expect(await read).toEqual(bytes("early"));
    expect(again.cancelRead?.()).toBe(true);
  });

  test("that has ended stays ended, and never reads again", async () => {
    calls.length = 0;
    const again = rewind({ io: stream, readBuf: NONE, readEnded: true });
    expect([await again.read(), await again.read()]).toEqual([null, null]);
    expect(calls).toEqual([]);
  });
});

describe("a WHATWG pair, replayed", () => {
  test("that has ended delivers its bytes and closes; its writable stays open", async () => {
    const [io, far] = webPair();
    const again = rewind({ io, readBuf: bytes("early"), readEnded: true });
    expect(again.writable).toBe(io.writable);
    const next = new ScriptedPeer(again as never);
    expect(await next.readToEnd()).toBe("early");
    const peer = new ScriptedPeer(far as never);
    await next.send("on");
    expect(await peer.read(2)).toBe("on");
  });

  test("canceling it cancels the io, and failures are passed on", async () => {
    const [io, far] = webPair();
    const again = rewind({ io, readBuf: bytes("early"), readEnded: false });
    const peer = new ScriptedPeer(far as never);
    await again.readable.cancel("enough");
    expect(await peer.failed()).toBe("enough");
    const [other, end] = webPair();
    const failing = new ScriptedPeer(
      rewind({ io: other, readBuf: bytes("early"), readEnded: false }) as never,
    );
    expect(await failing.read(5)).toBe("early");
    await end.writable.abort(new Error("reset"));
    expect(await failing.failed()).toMatchObject({ message: "reset" });
  });
});

test("an object of none of the three shapes cannot be rewound", () => {
  const nothing = { readBuf: bytes("early"), readEnded: false };
  expect(() => rewind({ ...nothing, io: 7 })).toThrow(
    expect.objectContaining({ code: "INVALID_IO" }),
  );
});
