import { once } from "node:events";
import net from "node:net";
import tls from "node:tls";
import { handshake as connectTo } from "@upgrade/client";
import { handshake as serve } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { GET } from "../../src/messages.ts";
import { closedPort } from "../../src/pairs/closed-port.ts";
import { destroyPairs, duplexPair, pem, tcpPair } from "../../src/pairs/pairs.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

const HELLO = "GET / HTTP/1.1\r\nHost: a.test\r\n\r\n";

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
    const unhandled = watchUnhandled();
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
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
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
    const unhandled = watchUnhandled();
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
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
});
