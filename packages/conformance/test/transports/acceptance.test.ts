import { once } from "node:events";
import { Duplex, PassThrough } from "node:stream";
import { handshake as connectTo } from "@upgrade/client";
import { LocalProtocolError } from "@upgrade/core";
import { type ByteStream, type Io, memoryPair } from "@upgrade/core/io";
import { type Service, handshake as serve, handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET } from "../../src/messages.ts";
import {
  destroyPairs,
  duplexPair,
  PAIRS,
  tcpPair,
  tlsPair,
  webPair,
} from "../../src/pairs/pairs.ts";
import { rejection } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ROLES } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

afterEach(destroyPairs);

const HELLO = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

const shakeHands = {
  client: (io: unknown) => connectTo(io as Io),
  server: (io: unknown) => serve(io as Io, () => ({ status: 204 })),
};

/** Unusable ios, each with part of the message of its refusal. */
const UNFIT: readonly [reason: string, made: () => unknown | Promise<unknown>][] = [
  [
    "the stream has ended",
    async () => {
      const [io, far] = duplexPair();
      far.end("read");
      io.resume();
      await once(io, "end");
      io.pause();
      return io;
    },
  ],
  ["the stream has ended", () => duplexPair()[0].end()],
  ["the stream takes no new properties", () => Object.preventExtensions(duplexPair()[0])],
  ["the stream is in object mode", () => new PassThrough({ objectMode: true })],
  ["the stream is in object mode", () => new Duplex({ readableObjectMode: true })],
  ["the stream is in object mode", () => new Duplex({ writableObjectMode: true })],
  ["the stream decodes to utf8", () => duplexPair()[0].setEncoding("utf8")],
  ["the stream is flowing, so its bytes are lost: pause() it", () => duplexPair()[0].resume()],
  ["the stream has a reader", () => duplexPair()[0].on("data", () => {})],
  [
    "the stream has a reader",
    () =>
      duplexPair()[0]
        .on("data", () => {})
        .pause(),
  ],
  ["the stream has a reader", () => duplexPair()[0].on("readable", () => {})],
  [
    "the stream has a reader",
    () => {
      const [io] = duplexPair();
      io.pipe(new PassThrough());
      return io;
    },
  ],
  [
    "readable is locked",
    () => {
      const [io] = webPair();
      io.readable.getReader();
      return io;
    },
  ],
  [
    "writable is locked",
    () => {
      const [io] = webPair();
      io.writable.getWriter();
      return io;
    },
  ],
  ["neither a Duplex", () => null],
  ["neither a Duplex", () => undefined],
  ["neither a Duplex", () => "tcp://a.test"],
  ["neither a Duplex", () => ({ readable: true, writable: true })],
  ["neither a Duplex", () => ({ read() {}, write() {} })],
];

describe.each(ROLES)("what a %s does not accept", (role) => {
  test.each(UNFIT)("%s", async (reason, made) => {
    const io = await made();
    const before = listeners(io);
    await expect(shakeHands[role](io)).rejects.toMatchObject({
      name: "LocalProtocolError",
      code: "INVALID_IO",
      message: expect.stringContaining(reason),
    });
    expect(listeners(io)).toEqual(before);
  });

  test("a promise of an io that was not awaited", async () => {
    const [io] = webPair();
    await expect(shakeHands[role](Promise.resolve(io))).rejects.toMatchObject({
      code: "INVALID_IO",
      message: expect.stringContaining("it is a promise; await it first"),
    });
    expect([io.readable.locked, io.writable.locked]).toEqual([false, false]);
  });

  test("a bad option leaves the io alone", async () => {
    const [io] = webPair();
    const bad = { maxHeadBytes: -1 };
    const handshaken = role === "client" ? connectTo(io, bad) : serve(io, () => undefined, bad);
    await expect(handshaken).rejects.toMatchObject({ code: "INVALID_OPTION" });
    expect([io.readable.locked, io.writable.locked]).toEqual([false, false]);
  });

  test("a bad option leaves a socket unchanged, and so does an unfit socket", async () => {
    const [io] = await tcpPair();
    const before = [listeners(io), io.allowHalfOpen, io.readableFlowing, io.writableLength];
    const bad = { lingerMs: Number.NaN };
    const handshaken = role === "client" ? connectTo(io, bad) : serve(io, () => undefined, bad);
    await expect(handshaken).rejects.toMatchObject({ code: "INVALID_OPTION" });
    io.setEncoding("latin1");
    await expect(shakeHands[role](io)).rejects.toMatchObject({ code: "INVALID_IO" });
    expect([listeners(io), io.allowHalfOpen, io.readableFlowing, io.writableLength]).toEqual(
      before,
    );
  });

  test("an io that is locked on one side is not locked on the other", async () => {
    const [io] = webPair();
    io.writable.getWriter();
    await expect(shakeHands[role](io)).rejects.toMatchObject({ code: "INVALID_IO" });
    expect(io.readable.locked).toBe(false);
  });

  test("a socket that was ended is refused before it has flushed", async () => {
    const [io] = await tcpPair({ allowHalfOpen: true });
    io.end("bye");
    await expect(shakeHands[role](io)).rejects.toMatchObject({ code: "INVALID_IO" });
  });
});

function listeners(io: unknown): unknown {
  if (!(io instanceof Duplex)) return undefined;
  return io.eventNames().map((name) => [name, io.listenerCount(name)]);
}

describe("bytes that are already in the stream", () => {
  test.each([
    ["TCP", () => tcpPair()],
    ["TLS", () => tlsPair()],
    ["Duplex", async () => duplexPair()],
  ] as const)("are the first bytes, over %s", async (_, make) => {
    const [io, far] = await make();
    const peer = new ScriptedPeer(far);
    await peer.send("st HTTP/1.1\r\nHost: a.test\r\n\r\n");
    await turns();
    io.unshift(Buffer.from("GET /fir"));
    await serve(io, ({ target }) => ({ status: 200, body: target }));
    await peer.readHead();
    expect(await peer.read(6)).toBe("/first");
  });

  test("a paused stream is read anyway", async () => {
    const [io, far] = duplexPair();
    io.pause();
    const peer = new ScriptedPeer(far);
    await serve(io, () => ({ status: 204 }));
    await peer.send(HELLO);
    expect(await peer.readHead()).toMatch("204");
  });
});

describe.each(PAIRS)("over $name", ({ make }) => {
  test("a request followed by FIN gets a later response", async () => {
    const [io, far] = await make();
    const peer = new ScriptedPeer(far);
    let answer!: () => void;
    const called = new Promise<void>((resolve) => {
      void serve(io, async (request) => {
        const answered = new Promise<void>((later) => {
          answer = later;
        });
        resolve();
        await answered;
        return { status: 200, body: `late ${request.peerEnded}` };
      });
    });
    await peer.send(HELLO);
    // Not awaited: a stream that closes with its end never reports this.
    void peer.end();
    await called;
    await turns();
    answer();
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\n\r\nlate true$/);
  });

  test("a response that arrives after the client's own end", async () => {
    const [io, far] = await make();
    const peer = new ScriptedPeer(far);
    const { sender, connection } = await connectTo(io);
    const answer = sender.sendRequest({ ...GET, headers: { Host: "a.test", Connection: "close" } });
    await peer.readHead();
    await peer.send("HTTP/1.1 200 OK\r\n\r\nall there is");
    await peer.end();
    expect(await (await answer).body.text()).toBe("all there is");
    expect(await connection.closed).toMatchObject({ kind: "not-persistent" });
  });
});

const echo: Service<ByteStream> = ({ target }) => ({ status: 200, body: target });

test("L9: a handshake on an invalid io rejects with the reason, and touches nothing", async () => {
  const { io, options } = { io: memoryPair()[0], options: { maxHeaders: -1 } };
  expect(await rejection(serveOn({} as never, echo))).toBe("INVALID_IO");
  expect(await rejection(serveOn(io, echo, options))).toBe("INVALID_OPTION");
  await expect(serveOn(null as never, echo)).rejects.toBeInstanceOf(LocalProtocolError);
});
