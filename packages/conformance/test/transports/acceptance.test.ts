import { once } from "node:events";
import { readFileSync } from "node:fs";
import net from "node:net";
import { Duplex, PassThrough } from "node:stream";
import tls from "node:tls";
import { handshake as connectTo } from "@upgrade/client";
import type { Io } from "@upgrade/core/io";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { closedPort } from "../../src/pairs/closed-port.ts";
import {
  destroyPairs,
  duplexPair,
  PAIRS,
  tcpPair,
  tlsPair,
  webPair,
} from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ROLES } from "../../src/switching.ts";
import { turns, watchQuiet } from "../../src/turns.ts";

afterEach(destroyPairs);

const pem = (name: string): string =>
  readFileSync(new URL(`../../keys/localhost.${name}.pem`, import.meta.url), "utf8");
const GET = { method: "GET", target: "/", headers: { Host: "a.test" } };
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

describe("an io that is not connected yet", () => {
  test("has an error listener before anything is awaited", () => {
    const [io] = duplexPair();
    io.removeAllListeners("error");
    void connectTo(io);
    expect(io.listenerCount("error")).toBe(1);
  });

  test("a connecting socket: requests wait, and go out in order", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
    const { sender } = await connectTo(socket);
    const first = sender.sendRequest({ ...GET, target: "/1" });
    const second = sender.sendRequest({ ...GET, target: "/2" });
    expect(socket.connecting).toBe(true);
    const [accepted] = (await once(server, "connection")) as [net.Socket];
    const peer = new ScriptedPeer(accepted);
    expect(await peer.readHead()).toMatch("/1");
    await peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    expect((await first).status).toBe(204);
    expect(await peer.readHead()).toMatch("/2");
    await peer.send("HTTP/1.1 204 No Content\r\n\r\n");
    expect((await second).status).toBe(204);
    socket.destroy();
    server.close();
  });

  test("a refused connection rejects waiting requests, with nothing sent", async () => {
    const quiet = watchQuiet();
    const socket = net.connect(await closedPort(), "127.0.0.1");
    const { sender, connection } = await connectTo(socket);
    const sent = [sender.sendRequest(GET), sender.sendRequest(GET)];
    const ran = connection.run();
    for (const request of sent) {
      await expect(request).rejects.toMatchObject({ sent: "nothing", retrySafe: true });
    }
    await expect(sent[0]).rejects.toMatchObject({
      code: "TRANSPORT_FAILED",
      cause: { code: "ECONNREFUSED" },
    });
    await expect(ran).rejects.toMatchObject({ code: "TRANSPORT_FAILED" });
    expect(await connection.closed).toMatchObject({ kind: "failed" });
    expect(await quiet.settled()).toEqual([]);
    quiet.stop();
  });

  test("closed while it connects: waiting requests are returned unsent", async () => {
    const server = net.createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const socket = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
    const { sender, connection } = await connectTo(socket);
    const sent = sender.sendRequest(GET);
    connection.abort();
    await expect(sent).rejects.toMatchObject({ code: "ABORTED", sent: "nothing" });
    expect(socket.destroyed).toBe(true);
    server.close();
  });

  // As when a connection is upgraded to TLS. Node never reports a manually created server as secure.
  const bareTls = async () => {
    const [raw, accepted] = await tcpPair();
    const identity = { key: pem("key"), cert: pem("cert") };
    return [
      tls.connect({ socket: raw, rejectUnauthorized: false }),
      new tls.TLSSocket(accepted, { isServer: true, ...identity }),
    ] as const;
  };

  test("a TLS socket that is not secure yet, from tls.connect", async () => {
    const identity = { key: pem("key"), cert: pem("cert") };
    const server = tls.createServer(identity, (socket) => {
      void serve(socket, ({ target }) => ({ status: 200, headers: { "X-Target": target } }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const near = tls.connect({ port, host: "127.0.0.1", rejectUnauthorized: false });
    const { sender } = await connectTo(near);
    expect((await sender.sendRequest(GET)).headers.get("x-target")).toBe("/");
    near.destroy();
    server.close();
  });

  // On Deno an earlier write, even an empty one, stalls the handshake begun by tls.connect.
  test("a TLS socket from tls.connect is not written to before it is secure", async () => {
    const [near, far] = await bareTls();
    far.on("error", () => {});
    const written: unknown[] = [];
    const write = near.write.bind(near) as (...args: unknown[]) => boolean;
    near.write = (...args: unknown[]) => {
      written.push(near.getPeerFinished() === undefined ? "too early" : "in time");
      return write(...args);
    };
    const { sender } = await connectTo(near);
    sender.sendRequest(GET).catch(() => {});
    await once(far, "data");
    expect(written).toEqual(["in time"]);
  });

  test("TLS sockets on top of others that are not secure yet, on both sides", async () => {
    const [near, far] = await bareTls();
    const { sender } = await connectTo(near);
    await serve(far, ({ target }) => ({ status: 200, headers: { "X-Target": target } }));
    expect((await sender.sendRequest(GET)).headers.get("x-target")).toBe("/");
  });

  test("TLS sockets on top of others that are already secure, on both sides", async () => {
    const [near, far] = await bareTls();
    await Promise.all([once(near, "secure"), once(far, "secure")]);
    const { sender } = await connectTo(near);
    await serve(far, ({ target }) => ({ status: 200, headers: { "X-Target": target } }));
    expect((await sender.sendRequest(GET)).headers.get("x-target")).toBe("/");
  });

  // Without tls.connect, only the first write begins the handshake.
  test.each([
    ["over a socket that is connected", true],
    ["over one that connects", false],
  ])("a manually created TLS client that was never written to, %s", async (_, isConnected) => {
    const identity = { key: pem("key"), cert: pem("cert") };
    const server = net.createServer((accepted) => {
      const far = new tls.TLSSocket(accepted, { isServer: true, ...identity });
      void serve(far, ({ target }) => ({ status: 200, headers: { "X-Target": target } }));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const raw = net.connect((server.address() as net.AddressInfo).port, "127.0.0.1");
    if (isConnected) await once(raw, "connect");
    const near = new tls.TLSSocket(raw);
    const { sender, connection } = await connectTo(near);
    expect((await sender.sendRequest(GET)).headers.get("x-target")).toBe("/");
    expect(connection.stats.bytesWritten).toBe(HELLO.length);
    near.destroy();
    server.close();
  });

  test("our server at the client's end of a manually created TLS connection", async () => {
    const [raw, accepted] = await tcpPair();
    const near = new tls.TLSSocket(raw);
    const far = new tls.TLSSocket(accepted, { isServer: true, key: pem("key"), cert: pem("cert") });
    await serve(near, ({ target }) => ({ status: 200, headers: { "X-Target": target } }));
    const { sender } = await connectTo(far);
    expect((await sender.sendRequest(GET)).headers.get("x-target")).toBe("/");
  });

  test("an invalid certificate: not a byte of the request is sent", async () => {
    const quiet = watchQuiet();
    const identity = { key: pem("key"), cert: pem("cert") };
    const seen: Buffer[] = [];
    const server = tls.createServer(identity, (socket) => {
      socket.on("error", () => {});
      socket.on("data", (bytes) => seen.push(bytes));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as net.AddressInfo;
    const { sender } = await connectTo(tls.connect({ port, host: "127.0.0.1" }));
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({
      code: "TRANSPORT_FAILED",
      sent: "nothing",
      cause: { code: "DEPTH_ZERO_SELF_SIGNED_CERT" },
    });
    server.close();
    await once(server, "close");
    expect(seen).toEqual([]);
    expect(await quiet.settled()).toEqual([]);
    quiet.stop();
  });
});

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
