import { once } from "node:events";
import net from "node:net";
import { handshake as connectTo } from "@upgrade/client";
import { ConnectionError } from "@upgrade/core";
import { type Body, Deferred, ManualClock, memoryPair } from "@upgrade/core/io";
import { type ServerRequest, handshake as serveOn } from "@upgrade/server";
import { afterEach, describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { answer, GET, head } from "../../src/messages.ts";
import { closedPort } from "../../src/pairs/closed-port.ts";
import { destroyPairs, tcpPair } from "../../src/pairs/pairs.ts";
import { collect, serveTcp } from "../../src/pairs/serve-tcp.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { BreakableStream } from "../../src/streams/breakable-stream.ts";
import { ROLES, type Role } from "../../src/switching.ts";
import { turns } from "../../src/turns.ts";

describe("L18: the peer is gone", () => {
  const waiting = async (options: Parameters<typeof serve>[1] = {}) => {
    const { resolve, promise } = new Deferred<AbortSignal>();
    const gate = new Deferred<void>();
    let ended = (): boolean => false;
    const served = await serve(async (request) => {
      ended = () => request.peerEnded;
      resolve(request.signal);
      await gate.promise;
      return { status: 200, body: "late" };
    }, options);
    await served.peer.send(head("GET /"));
    return { ...served, signal: await promise, answer: gate.resolve, peerEnded: () => ended() };
  };

  test("a reset aborts request.signal", async () => {
    const { peer, signal } = await waiting();
    expect(signal.aborted).toBe(false);
    peer.reset();
    await turns();
    expect(signal.reason).toMatchObject({ code: "TRANSPORT_FAILED" });
  });

  test("an end of file sets peerEnded, aborts with PEER_ENDED, and the response is still written", async () => {
    const { peer, signal, answer: release, peerEnded } = await waiting();
    expect(peerEnded()).toBe(false);
    await peer.end();
    await turns();
    expect(signal.reason).toBeInstanceOf(ConnectionError);
    expect(signal.reason).toMatchObject({ code: "PEER_ENDED" });
    expect(peerEnded()).toBe(true);
    release();
    expect(await peer.readToEnd()).toMatch(/^HTTP\/1\.1 200 OK\r\n.*late$/s);
  });

  test("halfClose leaves the signal alone, and still sets peerEnded", async () => {
    const { peer, signal, answer: release, peerEnded } = await waiting({ halfClose: true });
    await peer.end();
    await turns();
    expect([signal.aborted, peerEnded()]).toEqual([false, true]);
    release();
    expect(await peer.readToEnd()).toMatch(/late$/);
  });

  test("a pipelined request whose client has since ended starts with peerEnded", async () => {
    const seen: [string, boolean, boolean][] = [];
    const gate = new Deferred<void>();
    const { peer } = await serve(async (request) => {
      if (request.target === "/1") await gate.promise;
      seen.push([request.target, request.peerEnded, request.signal.aborted]);
      return { status: 200 };
    });
    await peer.send(head("GET /1") + head("GET /2"));
    await peer.end();
    await turns();
    gate.resolve();
    await peer.readToEnd();
    expect(seen).toEqual([
      ["/1", true, true],
      ["/2", true, true],
    ]);
  });

  test("it is detected while a response streams: the signal aborts, and the body's producer is notified", async () => {
    let signal: AbortSignal | undefined;
    let left = false;
    const { peer } = await serve((request) => {
      signal = request.signal;
      return {
        status: 200,
        body: {
          [Symbol.asyncIterator]: () => ({
            next: () => new Promise<IteratorResult<string>>(() => {}),
            return: async () => {
              left = true;
              return { done: true as const, value: undefined };
            },
          }),
        },
      };
    });
    await peer.send(head("GET /"));
    await peer.readHead();
    peer.reset();
    await turns();
    expect(signal?.reason).toMatchObject({ code: "TRANSPORT_FAILED" });
    expect(left).toBe(true);
  });

  test("the signal of a successfully answered request never aborts", async () => {
    let signal: AbortSignal | undefined;
    const { peer, connection } = await serve((request) => {
      signal = request.signal;
      return { status: 200 };
    });
    await peer.send(head("GET /", "Connection: close"));
    await peer.readToEnd();
    await peer.end();
    await connection.closed;
    expect(signal?.aborted).toBe(false);
  });

  test("while a service runs, reading continues up to readAheadBytes of later requests", async () => {
    const { peer, connection } = await serve(() => new Promise(() => {}), {
      readAheadBytes: 1_000,
    });
    await peer.send(head("GET /1"));
    for (let i = 0; i < 20; i++) void peer.send("x".repeat(500));
    await turns();
    const held = connection.stats.bytesRead - head("GET /1").length;
    expect(held).toBeGreaterThanOrEqual(1_000);
    expect(held).toBeLessThanOrEqual(1_500);
  });

  test("an end of file inside a request's body is an error at once", async () => {
    const failed = new Deferred<unknown>();
    let signal: AbortSignal | undefined;
    const { peer, reports } = await serve(async (request) => {
      signal = request.signal;
      await request.body.bytes().catch(failed.resolve);
      return new Promise(() => {});
    });
    await peer.send(`${head("POST /", "Content-Length: 9")}four`);
    await peer.end();
    expect(await failed.promise).toMatchObject({ code: "INCOMPLETE_MESSAGE", phase: "body" });
    expect(signal?.aborted).toBe(true);
    expect(reports).toEqual(["body: INCOMPLETE_MESSAGE"]);
  });
});

test("L18: if the final write fails, the io is aborted: the peer sees it, and no read is left pending", async () => {
  const [near, far] = memoryPair();
  const io = new BreakableStream(near);
  const peer = new ScriptedPeer(far);
  const clock = new ManualClock();
  const { connection } = await serveOn(io, () => ({ status: 200, body: "bye" }), { clock });
  io.writes = "fail";
  await peer.send(head("GET /", "Connection: close"));
  expect(await connection.closed).toMatchObject({ kind: "failed" });
  await turns();
  expect(peer.failure).toBeDefined();
  expect([io.reads, clock.pending]).toEqual([0, 0]);
});

afterEach(destroyPairs);

describe("the peer is gone, over TCP:", () => {
  test("a reset aborts the signal while the service runs", async () => {
    const gone = await new Promise<unknown>((resolve) => {
      void serveTcp((request) => {
        request.signal.addEventListener("abort", () => resolve(request.signal.reason));
        return new Promise(() => {});
      }).then(async ({ far, near }) => {
        far.write(head("GET /"));
        await once(near, "data");
        far.resetAndDestroy();
      });
    });
    expect(gone).toMatchObject({ code: "TRANSPORT_FAILED", cause: { code: "ECONNRESET" } });
  });

  test.each([true, false])(
    "FIN with the request: the response arrives, with allowHalfOpen %s",
    async (allowHalfOpen) => {
      const [far, near] = await tcpPair({ allowHalfOpen });
      let ended: boolean | undefined;
      await serveOn(near, async (request) => {
        while (!request.peerEnded) await turns(1);
        ended = request.signal.aborted;
        return { status: 200, body: "late" };
      });
      far.end(head("GET /"));
      expect((await collect(far)).seen).toMatch(/late$/);
      expect(ended).toBe(true);
    },
  );

  test("a client reports a refused connection: nothing was sent", async () => {
    const socket = net.connect(await closedPort(), "127.0.0.1");
    const { sender, connection } = await connectTo(socket);
    await expect(sender.sendRequest(GET)).rejects.toMatchObject({
      code: "TRANSPORT_FAILED",
      sent: "nothing",
      retrySafe: true,
      cause: { code: "ECONNREFUSED" },
    });
    expect((await connection.closed).kind).toBe("failed");
  });
});

/** As much of a body as is read ahead. */
const FULL = "0123456789";
const options = { clock: new ManualClock(), readAheadBytes: FULL.length };

/** Our end with an unread body of `length` bytes, whose queue is full. */
async function holding(role: Role, length: number) {
  const [io, far] = await tcpPair();
  const peer = new ScriptedPeer(far);
  const body = new Deferred<Body>();
  const request = new Deferred<ServerRequest<net.Socket>>();
  if (role === "server") {
    const { connection } = await serveOn(
      io,
      (received) => {
        request.resolve(received);
        body.resolve(received.body);
        return new Promise<undefined>(() => {});
      },
      options,
    );
    await peer.send(head("POST /", `Content-Length: ${length}`) + FULL);
    return { peer, connection, body: await body.promise, request: await request.promise };
  }
  const { sender, connection } = await connectTo(io, options);
  const sent = sender.sendRequest(GET);
  await peer.readHead();
  await peer.send(answer("200 OK", `Content-Length: ${length}`) + FULL);
  return { peer, connection, body: (await sent).body, request: undefined };
}

/** What a reader gets, and how it ends. */
async function readAll(body: Body): Promise<[text: string, end: unknown]> {
  let text = "";
  try {
    for await (const chunk of body) text += Buffer.from(chunk).toString("latin1");
    return [text, "its end"];
  } catch (error) {
    return [text, (error as { code: unknown }).code];
  }
}

describe.each(ROLES)("L18: our %s with an unread body", (role) => {
  test("detects an end in the middle of it at once, and delivers what came before", async () => {
    const { peer, connection, body, request } = await holding(role, 99);
    await turns();
    await peer.end();
    expect(await connection.closed).toMatchObject({
      kind: "failed",
      error: { code: "INCOMPLETE_MESSAGE", phase: "body" },
    });
    expect(await readAll(body)).toEqual([FULL, "INCOMPLETE_MESSAGE"]);
    if (request === undefined) return;
    expect(request.signal.reason).toMatchObject({ code: "INCOMPLETE_MESSAGE" });
    expect(request.peerEnded).toBe(false);
  });

  test("detects an end after its last byte, which is not a failure", async () => {
    const { peer, connection, body, request } = await holding(role, FULL.length);
    await turns();
    await peer.end();
    if (request === undefined) {
      await connection.closed;
      expect(connection.closeReason).toMatchObject({ kind: "peer-ended" });
    } else {
      while (!request.peerEnded) await turns(1);
      expect(request.signal.reason).toMatchObject({ code: "PEER_ENDED" });
    }
    expect(await readAll(body)).toEqual([FULL, "its end"]);
  });

  test("detects an end after more of its bytes once they are read", async () => {
    const { peer, connection, body } = await holding(role, 99);
    await turns();
    void peer.send("and more");
    await peer.end();
    await turns(20);
    expect(connection.closeReason).toBe(undefined);
    expect(await readAll(body)).toEqual([`${FULL}and more`, "INCOMPLETE_MESSAGE"]);
    expect((await connection.closed).kind).toBe("failed");
  });

  test("detects a reset at once", async () => {
    const { peer, connection, body } = await holding(role, 99);
    await turns();
    peer.reset();
    expect(await connection.closed).toMatchObject({ error: { code: "TRANSPORT_FAILED" } });
    expect(await readAll(body)).toEqual([FULL, "TRANSPORT_FAILED"]);
  });
});

test("a connection that is kept open, and breaks before its last bytes are sent, has failed", async () => {
  const [near, far] = memoryPair(1);
  const { connection } = await serveOn(near, () => ({ status: 200 }), { clock: new ManualClock() });
  const end = rejection(connection.pollWithoutShutdown());
  void far.write([Buffer.from(head("GET /", "Connection: close"))]);
  await turns();
  expect(await stateOf(connection.closed)).toBe("pending");
  far.abort(new Error("reset"));
  expect(await end).toBe("TRANSPORT_FAILED");
  expect(connection.closeReason).toMatchObject({ kind: "failed" });
});
