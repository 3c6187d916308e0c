import type { Duplex } from "node:stream";
import { handshake as connectTo } from "@upgrade/client";
import { HttpConnection } from "@upgrade/core";
import { type ByteStream, Deferred, ManualClock, memoryPair, tunnel } from "@upgrade/core/io";
import { transportSuite } from "@upgrade/core/testing";
import { type ServerRequest, handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { dial, serve } from "../../src/ends.ts";
import { answer, GET, head, POST } from "../../src/messages.ts";
import { destroyPairs, duplexPair } from "../../src/pairs/pairs.ts";
import { rejection, standing } from "../../src/promises.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { turns, watchQuiet } from "../../src/turns.ts";

// Cases that no requirement and no law names.

afterEach(destroyPairs);

const NOTHING = new Uint8Array(0);
const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString("latin1");

describe("a body", () => {
  test("that was drained unread is empty afterwards", async () => {
    const seen = new Deferred<ServerRequest<ByteStream>>();
    const { peer } = await serve((request) => {
      seen.resolve(request);
      return { status: 200 };
    });
    await peer.send(`${head("POST /", "Content-Length: 10")}12345`);
    await peer.readHead();
    const request = await seen.promise;
    const late = request.body.bytes();
    await peer.send("67890");
    expect(await late).toEqual(NOTHING);
  });

  test("canceled twice is drained once, and both calls settle", async () => {
    const { peer, sender } = await dial();
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 6")}123`);
    const { body } = await pending;
    const both = Promise.all([body.cancel(), body.cancel()]);
    await peer.send("456");
    expect(await both).toEqual(["drained", "drained"]);
  });

  test("left early by a second reader still belongs to the first", async () => {
    const { peer, sender } = await dial();
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(`${answer("200 OK", "Content-Length: 3")}123`);
    const { body } = await pending;
    const first = body[Symbol.asyncIterator]();
    await body[Symbol.asyncIterator]().return!();
    expect(latin1((await first.next()).value!)).toBe("123");
  });

  test("queued beyond the limit is read further once enough of it was consumed", async () => {
    const { peer, sender } = await dial({ readAheadBytes: 5 });
    const pending = sender.sendRequest(GET);
    await peer.readHead();
    await peer.send(answer("200 OK", "Transfer-Encoding: chunked"));
    await peer.send("2\r\nab\r\n6\r\ncdefgh\r\n1\r\ni\r\n0\r\n\r\n");
    const { body } = await pending;
    await turns();
    expect(await body.text()).toBe("abcdefghi");
  });

  test("whose producer fails when it is stopped reports nothing", async () => {
    const quiet = watchQuiet();
    const { peer, sender } = await dial();
    const maker = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise<never>(() => {}),
        return: () => Promise.reject(new Error("it will not stop")),
      }),
    };
    const pending = sender.sendRequest({ ...POST, body: maker });
    await peer.readHead();
    peer.reset();
    expect(await rejection(pending)).toBe("TRANSPORT_FAILED");
    expect(await quiet.settled()).toEqual([]);
    quiet.stop();
  });
});

describe("taken apart by force", () => {
  test.each([
    ["text", "abc"],
    ["bytes", Uint8Array.of(0x61, 0x62, 0x63)],
  ])("it returns what is unsent: %s", async (_, body) => {
    const { connection, sender } = await dial();
    const pending = sender.sendRequest({ ...POST, body });
    const { unsent } = connection.intoParts({ force: true });
    expect(latin1(unsent)).toBe(`${head("POST /", "Content-Length: 3")}abc`);
    expect(await rejection(pending)).toBe("TAKEN_APART");
  });
});

test("close() with an aborted signal aborts", async () => {
  const { connection, sender } = await dial();
  const pending = sender.sendRequest(GET);
  await turns();
  const reason = await connection.close({ signal: AbortSignal.abort("enough") });
  expect(reason).toMatchObject({ error: { code: "ABORTED", cause: "enough" } });
  expect(await rejection(pending)).toBe("ABORTED");
});

test("a write that is accepted while others wait does not resume the body", async () => {
  const [near, far] = memoryPair(1);
  let made = 0;
  // Each piece is a separate write.
  async function* body() {
    for (let i = 0; i < 20; i++) {
      made++;
      yield "0123456789".repeat(3);
      await turns(1);
    }
  }
  const { sender } = await connectTo(near, { clock: new ManualClock(), writeHighWaterBytes: 40 });
  void sender.sendRequest({
    ...POST,
    headers: { Host: "a.test", "Content-Length": "600" },
    body: body(),
  });
  await turns(20);
  const before = made;
  expect(before).toBeLessThan(4);
  let read = 0;
  while (made === before) {
    read += (await far.read())!.length;
    await turns();
  }
  expect(read).toBeGreaterThan(60);
  far.abort(new Error("over"));
});

test("a connection that is kept open, and breaks before its last bytes are sent, has failed", async () => {
  const [near, far] = memoryPair(1);
  const { connection } = await serveOn(near, () => ({ status: 200 }), { clock: new ManualClock() });
  const end = rejection(connection.pollWithoutShutdown());
  void far.write([Buffer.from(head("GET /", "Connection: close"))]);
  await turns();
  expect(await standing(connection.closed)).toBe("pending");
  far.abort(new Error("reset"));
  expect(await end).toBe("TRANSPORT_FAILED");
  expect(connection.closeReason).toMatchObject({ kind: "failed" });
});

describe("HttpConnection", () => {
  test("ignores bytes after an end", () => {
    const server = new HttpConnection("server");
    server.receiveEof();
    expect(server.nextEvent()).toEqual({ type: "connection-closed" });
    server.receiveData(Buffer.from("x"));
    expect(server.nextEvent()).toBe("paused");
    expect(latin1(server.takeReadBuf())).toBe("x");
  });

  test.each([
    ["0", "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n"],
    ["5", "INVALID_FRAMING"],
  ])("a 205 of Content-Length %s: %s", (length, expected) => {
    const server = new HttpConnection("server");
    server.receiveData(Buffer.from(head("GET /")));
    while (typeof server.nextEvent() === "object");
    const send = () =>
      server.send({ type: "response", status: 205, headers: { "Content-Length": length } });
    if (length === "5") expect(send).toThrow(expect.objectContaining({ code: expected }));
    else expect(latin1(send())).toContain(expected);
  });
});

test("a side of a tunnel that is destroyed after its end is not a failure", async () => {
  const [a, peerOfA] = duplexPair();
  const [b, peerOfB] = duplexPair();
  const parts = (io: Duplex) => ({ io, readBuf: NOTHING, readEnded: false });
  const end = tunnel(parts(a), parts(b));
  peerOfA.resume().end();
  peerOfB.resume();
  await turns();
  a.destroy();
  expect(await end).toMatchObject({ endedBy: "a" });
});

describe("a minimal ByteStream", () => {
  // The one optional method, as useless as the contract permits.
  const bare = (stream: ByteStream) => ({ ...bareStream(stream), cancelRead: () => false });
  const cases = transportSuite(() => {
    const [a, b] = memoryPair();
    return [bare(a), bare(b)];
  });
  test.each(cases)("$name", ({ run }) => run());
});
