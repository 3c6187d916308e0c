import { once } from "node:events";
import net from "node:net";
import { Duplex, PassThrough } from "node:stream";
import tls from "node:tls";
import { handshake as connectTo, upgrade } from "@upgrade/client";
import { type ByteStream, duplexStream, tunnel } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { allOf } from "../../src/byte-streams.ts";
import { bytes, GET, latin1, POST } from "../../src/messages.ts";
import { closedPort } from "../../src/pairs/closed-port.ts";
import {
  destroyPairs,
  duplexPair,
  pem,
  resetStream,
  tcpPair,
  tlsPair,
} from "../../src/pairs/pairs.ts";
import { codeOr, stateOf } from "../../src/promises.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

const HALF_OPEN = { allowHalfOpen: true };

test("it reads only when it is read", async () => {
  const [near, far] = duplexPair();
  const stream = duplexStream(near);
  far.write("one");
  far.write("two");
  await turns();
  expect(near.readableLength).toBe(6);
  expect(latin1((await stream.read())!)).toBe("one");
  await turns();
  expect(near.readableLength).toBe(3);
});

test("over TLS, bytes and both ends", async () => {
  const [a, b] = (await tlsPair(HALF_OPEN)).map((socket) => duplexStream(socket)) as [
    ByteStream,
    ByteStream,
  ];
  const [atB, atA] = await Promise.all([
    allOf(b),
    allOf(a),
    a.write([bytes("x".repeat(100_000))]).then(() => a.closeWrite()),
    b.write([bytes("y")]).then(() => b.closeWrite()),
  ]);
  expect([atB.length, atA]).toEqual([100_000, "y"]);
});

describe("a socket that is still connecting", () => {
  test("writes, and then ends, once it is connected", async () => {
    const server = net.createServer(HALF_OPEN).listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const accepted = once(server, "connection") as Promise<[net.Socket]>;
    const socket = net.connect({ port, host: "127.0.0.1", ...HALF_OPEN });
    const stream = duplexStream(socket);
    const done = [stream.write([bytes("one ")]), stream.write([bytes("two")]), stream.closeWrite()];
    expect(socket.connecting).toBe(true);
    const [far] = await accepted;
    server.close();
    expect(await allOf(duplexStream(far))).toBe("one two");
    await Promise.all(done);
    for (const end of [socket, far]) end.destroy();
  });

  test("over TLS writes once it is secure, in order", async () => {
    const [raw, accepted] = await tcpPair(HALF_OPEN);
    const stream = duplexStream(tls.connect({ socket: raw, rejectUnauthorized: false }));
    const done = [stream.write([bytes("one ")]), stream.write([bytes("two")]), stream.closeWrite()];
    const server = tls.createServer({ key: pem("key"), cert: pem("cert"), ...HALF_OPEN });
    const secured = once(server, "secureConnection") as Promise<[tls.TLSSocket]>;
    server.emit("connection", accepted);
    const [far] = await secured;
    expect(await allOf(duplexStream(far))).toBe("one two");
    await Promise.all(done);
  });

  test("over TLS to a peer that leaves during its handshake: every call rejects", async () => {
    const [raw, far] = await tcpPair(HALF_OPEN);
    const stream = duplexStream(tls.connect({ socket: raw, rejectUnauthorized: false }));
    const calls = [stream.read(), stream.write([bytes("one ")]), stream.closeWrite()];
    far.destroy();
    const ends = await Promise.allSettled(calls);
    expect(ends.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  });

  test("to nothing: every call rejects with the socket's error", async () => {
    const unhandled = watchUnhandled();
    const stream = duplexStream(net.connect(await closedPort(), "127.0.0.1"));
    const calls = [stream.read(), stream.write([bytes("x")]), stream.closeWrite()];
    for (const call of calls) await expect(call).rejects.toMatchObject({ code: "ECONNREFUSED" });
    expect(await stream.gone).toMatchObject({ code: "ECONNREFUSED" });
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
});

describe("a peer that resets", () => {
  test("settles a pending read, a pending write, and gone", async () => {
    const [near, far] = await tcpPair(HALF_OPEN);
    const stream = duplexStream(near);
    const calls = [stream.read(), fill(stream)];
    await turns();
    resetStream(far);
    for (const call of calls) await expect(call).rejects.toThrow();
    expect(codeOr(await stream.gone)).toBe("ECONNRESET");
  });

  // Writes until the peer accepts no more.
  async function fill(stream: ByteStream): Promise<void> {
    for (;;) await stream.write([new Uint8Array(65_536)]);
  }
});

test("a stream that closes without its end is a failure, one that closes after it is not", async () => {
  const [cut, whole] = [new PassThrough(), new PassThrough()];
  const broken = duplexStream(cut);
  cut.destroy();
  await expect(broken.read()).rejects.toThrow("the stream is closed");
  expect(await broken.gone).toMatchObject({ message: "the stream is closed" });
  const closed = once(whole, "close");
  const stream = duplexStream(whole);
  await stream.write([bytes("last words")]);
  await stream.closeWrite();
  expect(await allOf(stream)).toBe("last words");
  await closed;
  expect([await stream.read(), await stateOf(stream.gone!)]).toEqual([null, "pending"]);
  await expect(stream.write([bytes("x")])).rejects.toThrow();
});

test("what was read before the Duplex closed is still there", async () => {
  const io = new PassThrough();
  const stream = duplexStream(io);
  const first = stream.read();
  io.end("all of it");
  expect(latin1((await first)!)).toBe("all of it");
  await turns();
  expect(await stream.read()).toBe(null);
});

test("a Duplex whose end() or write() throws is aborted", async () => {
  const boom = new Error("boom");
  const throws = () => {
    throw boom;
  };
  const [near] = duplexPair();
  near.end = throws as never;
  const stream = duplexStream(near);
  await expect(stream.closeWrite()).rejects.toMatchObject({ cause: boom });
  expect(near.destroyed).toBe(true);
  const [other] = duplexPair();
  other.write = throws as never;
  await expect(duplexStream(other).write([bytes("x")])).rejects.toBe(boom);
});

test("a write after closeWrite is refused, an empty one has no effect", async () => {
  const [near] = duplexPair();
  const stream = duplexStream(near);
  await stream.write([new Uint8Array(0)]);
  await stream.closeWrite();
  await stream.closeWrite();
  await expect(stream.write([bytes("x")])).rejects.toThrow("write after end");
  expect(near.destroyed).toBe(false);
});

/** What is no Duplex that can carry bytes. */
const UNUSABLE: [string, () => unknown, RegExp][] = [
  ["null", () => null, /not a Duplex$/],
  ["a byte stream", () => duplexStream(new PassThrough()), /not a Duplex$/],
  ["one in object mode", () => new PassThrough({ objectMode: true }), /object mode$/],
  ["one that decodes", () => new PassThrough({ encoding: "utf8" }), /decodes to utf8$/],
  ["one with a reader", () => new PassThrough().on("data", () => {}), /has a reader$/],
];

test.each(UNUSABLE)("%s is INVALID_IO", (_, make, message) => {
  const io = make() as Duplex;
  expect(() => duplexStream(io)).toThrow(message);
});

describe("a connection over it", () => {
  test("carries requests and bodies, and closes both Duplexes", async () => {
    const [near, far] = await tcpPair();
    const { connection: serving } = await serveOn(duplexStream(far), async (request) => ({
      status: 200,
      body: await request.body.bytes(),
    }));
    const { sender, connection } = await connectTo(duplexStream(near));
    for (const size of [0, 10, 300_000]) {
      const response = await sender.sendRequest({ ...POST, body: "x".repeat(size) });
      expect((await response.body.bytes()).length).toBe(size);
    }
    const closed = Promise.all([once(near, "close"), once(far, "close")]);
    await connection.close();
    expect((await serving.closed).kind).toBe("peer-ended");
    await closed;
  });

  test("closes a Duplex that does not close itself", async () => {
    const io = new Duplex({ autoDestroy: false, read() {}, write: (_c, _e, done) => done() });
    const { connection } = await serveOn(duplexStream(io), () => ({ status: 200 }));
    io.push(null);
    expect((await connection.closed).kind).toBe("peer-ended");
    await turns();
    expect(io.destroyed).toBe(true);
  });

  test("switches, and hands over the stream", async () => {
    const [near, far] = duplexPair();
    const [client, server] = [duplexStream(near), duplexStream(far)];
    void serveOn(server, async (request) => {
      const { io } = await request.switchTo("echo", { firstBytes: "welcome" });
      await io.closeWrite();
    });
    const result = await upgrade(client, { ...GET, protocol: "echo" });
    if (!result.switched) throw new Error("refused");
    expect(result.io).toBe(client);
    expect(latin1(result.readBuf) + (await allOf(client))).toBe("welcome");
  });

  test("is joined to a bare Duplex by a tunnel", async () => {
    const [[client, a], [b, server]] = [duplexPair(), await tcpPair(HALF_OPEN)];
    const done = tunnel(duplexStream(a), b);
    const [near, far] = [duplexStream(client), duplexStream(server)];
    const [got, returned] = await Promise.all([
      allOf(far),
      allOf(near),
      near.write([bytes("to the server")]).then(() => near.closeWrite()),
      far.write([bytes("and back")]).then(() => far.closeWrite()),
    ]);
    expect([got, returned]).toEqual(["to the server", "and back"]);
    expect(await done).toMatchObject({ aToB: 13, bToA: 8 });
  });
});

test.each([
  ["before", (stream: ByteStream) => stream.closeWrite()],
  [
    "after",
    (stream: ByteStream, written: Promise<void>) => written.then(() => stream.closeWrite()),
  ],
])("an end given %s the Duplex is connected is sent after what was written", async (_, end) => {
  const received = new Promise<string>((resolve) => {
    const server = net.createServer(HALF_OPEN, async (socket) => {
      let text = "";
      for await (const chunk of socket) text += String(chunk);
      socket.end();
      server.close();
      resolve(text);
    });
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address() as net.AddressInfo;
      const stream = duplexStream(net.connect({ port, host: "127.0.0.1", ...HALF_OPEN }));
      const written = stream.write([bytes("early")]);
      void Promise.all([end(stream, written), stream.read()]);
    });
  });
  expect(await received).toBe("early");
});

test("an end that the Duplex never finishes rejects when the Duplex is destroyed", async () => {
  const stuck = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done(), final() {} });
  const stream = duplexStream(stuck);
  const ended = stream.closeWrite();
  await turns();
  expect(await stateOf(ended)).toBe("pending");
  stuck.destroy();
  await expect(ended).rejects.toThrow("the stream is closed");
});
