import { ConnectionError } from "@upgrade/core";
import { Deferred, ManualClock, memoryPair } from "@upgrade/core/io";
import { handshake } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { serve } from "../../src/ends.ts";
import { head } from "../../src/messages.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { BreakableStream } from "../../src/streams/breakable-stream.ts";
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
  const { connection } = await handshake(io, () => ({ status: 200, body: "bye" }), { clock });
  io.writes = "fail";
  await peer.send(head("GET /", "Connection: close"));
  expect(await connection.closed).toMatchObject({ kind: "failed" });
  await turns();
  expect(peer.failure).toBeDefined();
  expect([io.reads, clock.pending]).toEqual([0, 0]);
});
