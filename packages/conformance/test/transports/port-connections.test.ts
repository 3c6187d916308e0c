import { handshake as connectTo, upgrade } from "@upgrade/client";
import { tunnel } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { allOf } from "../../src/byte-streams.ts";
import { bytes, GET, latin1, POST } from "../../src/messages.ts";
import { abortPorts, portPair } from "../../src/pairs/ports.ts";
import { turns } from "../../src/turns.ts";

afterEach(abortPorts);

describe("a connection over a port", () => {
  test("carries requests and bodies, is closed by either side, and closes the port", async () => {
    const [near, far] = portPair({ highWaterBytes: 1_000 });
    const { connection: serving } = await serveOn(far, async (request) => ({
      status: 200,
      body: await request.body.bytes(),
    }));
    const { sender, connection } = await connectTo(near);
    for (const size of [0, 10, 100_000]) {
      const response = await sender.sendRequest({ ...POST, body: "x".repeat(size) });
      expect((await response.body.bytes()).length).toBe(size);
    }
    await connection.close();
    expect((await serving.closed).kind).toBe("peer-ended");
    expect((await connection.closed).kind).toBe("closed");
  });

  test("ends well after a response in pieces to a client that has ended its side", async () => {
    const [near, far] = portPair({ highWaterBytes: 1_000 });
    const service = () => ({ status: 200, body: "x".repeat(10_000) });
    const { connection } = await serveOn(far, service, { halfClose: true });
    await near.write([bytes("GET / HTTP/1.1\r\nHost: a.test\r\n\r\n")]);
    await near.closeWrite();
    expect((await allOf(near)).endsWith("x".repeat(10_000))).toBe(true);
    expect(await connection.closed).toMatchObject({ kind: "peer-ended" });
  });

  test("switches, and hands over the stream with what follows", async () => {
    const [near, far] = portPair();
    void serveOn(far, async (request) => {
      const { io, readBuf } = await request.switchTo("echo", { firstBytes: "welcome" });
      expect(io).toBe(far);
      await io.write([readBuf]);
      await io.closeWrite();
    });
    const result = await upgrade(near, { ...GET, protocol: "echo" });
    if (!result.switched) throw new Error("refused");
    expect(result.io).toBe(near);
    expect(latin1(result.readBuf) + (await allOf(near))).toBe("welcome");
  });

  test("notices that the other end has gone while a proposal is open", async () => {
    const [near, far] = portPair();
    let signal!: AbortSignal;
    await serveOn(far, (request) => {
      signal = request.signal;
      return new Promise<undefined>(() => {});
    });
    await near.write([
      bytes("GET / HTTP/1.1\r\nHost: a.test\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n"),
    ]);
    await turns();
    expect(signal.aborted).toBe(false);
    near.abort("gone");
    await turns();
    expect(signal.reason).toMatchObject({ code: "TRANSPORT_FAILED" });
  });

  test("is joined to another io by a tunnel, bare as it is", async () => {
    const [[client, a], [b, server]] = [portPair(), portPair()];
    const done = tunnel(a, b);
    const [got, returned] = await Promise.all([
      allOf(server),
      allOf(client),
      client.write([bytes("to the server")]),
      client.closeWrite(),
      server.write([bytes("and back")]),
      server.closeWrite(),
    ]);
    expect([got, returned]).toEqual(["to the server", "and back"]);
    expect(await done).toMatchObject({ aToB: 13, bToA: 8 });
  });
});
