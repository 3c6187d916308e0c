import { Duplex } from "node:stream";
import { handshake as connectTo } from "@upgrade/client";
import { type ByteStream, type Io, ManualClock, memoryPair, tunnel } from "@upgrade/core/io";
import { handshake as serveOn } from "@upgrade/server";
import { describe, expect, test } from "vitest";
import { GET, head } from "../../src/messages.ts";
import { rejection, stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

const hostile = (): never => {
  throw new Error("hostile");
};

/** Unusual errors. */
const ERRORS: [string, unknown][] = [
  ["nothing", undefined],
  ["null", null],
  ["a symbol", Symbol("reason")],
  ["an object without a prototype", Object.create(null)],
  [
    "an error whose message getter throws",
    Object.defineProperty(new Error(), "message", { get: hostile }),
  ],
  [
    "an error whose message is a symbol",
    Object.defineProperty(new Error(), "message", { value: Symbol("m") }),
  ],
];

/** A stream that works except for the given methods, and its far end. */
function streamThat(wrong: (inner: ByteStream) => Partial<ByteStream>): [ByteStream, ScriptedPeer] {
  const [near, far] = memoryPair();
  const io: ByteStream = {
    ...bareStream(near),
    cancelRead: () => near.cancelRead!(),
    gone: near.gone!,
    ...wrong(near),
  };
  return [io, new ScriptedPeer(far)];
}

/** A method that works once, and then throws instead of rejecting. */
function throwsAfterOne<A extends unknown[], R>(method: (...args: A) => R): (...args: A) => R {
  let calls = 0;
  return (...args) => (calls++ === 0 ? method(...args) : hostile());
}

async function serveQuietly(io: Io, options = {}) {
  const clock = new ManualClock();
  const service = ({ target }: { target: string }) =>
    target === "/never" ? new Promise<never>(() => {}) : { status: 204 };
  return { clock, ...(await serveOn(io, service, { clock, date: false, ...options })) };
}

describe("L8, L9: a custom stream that throws instead of rejecting has failed:", () => {
  test("in read()", async () => {
    const [io, peer] = streamThat((inner) => ({ read: throwsAfterOne(() => inner.read()) }));
    const { connection } = await serveQuietly(io);
    const over = rejection(connection.run());
    await peer.send(head("GET /"));
    expect(await over).toBe("TRANSPORT_FAILED");
  });

  test("in read(), which returns no promise: it is taken for the end", async () => {
    let calls = 0;
    const [io, peer] = streamThat((inner) => ({
      read: () => (calls++ === 0 ? inner.read() : (null as never)),
    }));
    const { connection } = await serveQuietly(io);
    const over = connection.run();
    await peer.send(head("GET /"));
    await peer.end();
    await over;
    expect(connection.closeReason?.kind).toBe("peer-ended");
  });

  test("in write(), on a server", async () => {
    const [io, peer] = streamThat(() => ({ write: hostile }));
    const { connection } = await serveQuietly(io);
    const over = rejection(connection.run());
    await peer.send(head("GET /"));
    expect(await over).toBe("TRANSPORT_FAILED");
  });

  test("in write(), on a client: the request is rejected", async () => {
    const [io] = streamThat(() => ({ write: hostile }));
    const { sender, connection } = await connectTo(io);
    const over = rejection(connection.run());
    expect(await rejection(sender.sendRequest(GET))).toBe("TRANSPORT_FAILED");
    expect(await over).toBe("TRANSPORT_FAILED");
  });

  test("in closeWrite()", async () => {
    const [io, peer] = streamThat(() => ({ closeWrite: hostile }));
    const { connection } = await serveQuietly(io);
    const closed = connection.closed;
    await peer.send(head("GET /", "Connection: close"));
    await peer.readHead();
    expect(await stateOf(closed)).not.toBe("pending");
  });

  test("in abort(): pending calls still settle", async () => {
    const [io, peer] = streamThat(() => ({ abort: hostile }));
    const { connection } = await serveQuietly(io);
    const ends = [connection.run(), connection.pollWithoutShutdown(), connection.withoutShutdown()];
    const over = Promise.all(ends.map(rejection));
    await peer.send(head("GET /never"));
    await turns();
    connection.abort("enough");
    expect(await over).toEqual(["ABORTED", "ABORTED", "ABORTED"]);
    expect((await connection.closed).kind).toBe("failed");
  });

  test("in cancelRead(): the read stays pending and cannot be withdrawn", async () => {
    const [io] = streamThat(() => ({ cancelRead: hostile }));
    const { connection } = await connectTo(io);
    expect(() => connection.intoParts()).toThrow(expect.objectContaining({ code: "READ_PENDING" }));
    expect(connection.closeReason).toBeUndefined();
  });

  test.each([
    ["throws", hostile],
    ["is async", async () => true],
    ["is async, and rejects", async () => hostile()],
  ])("in a cancelRead() that %s: the waiting hand-over is refused", async (_, call) => {
    const unhandled = watchUnhandled();
    const [io, peer] = streamThat(() => ({ cancelRead: call as never }));
    const { connection } = await serveQuietly(io);
    const parts = rejection(connection.withoutShutdown());
    void connection.close();
    expect(await parts).toBe("READ_PENDING");
    expect(await peer.readToEnd()).toBe("");
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("in the _write of a Duplex", async () => {
    const io = new Duplex({ read() {}, write: hostile });
    const { connection } = await serveQuietly(io);
    const over = rejection(connection.run());
    io.push(head("GET /"));
    expect(await over).toBe("TRANSPORT_FAILED");
    expect(io.destroyed).toBe(true);
  });

  test("by yielding strings after setEncoding: the error says so", async () => {
    const io = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const { connection } = await serveQuietly(io);
    const over = connection.run().catch((reason: unknown) => reason);
    io.setEncoding("utf8");
    io.push(head("GET /"));
    expect(await over).toMatchObject({
      code: "TRANSPORT_FAILED",
      message: expect.stringContaining("the stream yields strings: setEncoding was called"),
    });
    expect(io.destroyed).toBe(true);
  });

  test("by yielding strings into a tunnel: the error says so", async () => {
    const ends = () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const [a, b] = [ends(), ends()];
    const none = { readBuf: new Uint8Array(0), readEnded: false };
    const done = tunnel({ io: a, ...none }, { io: b, ...none });
    a.setEncoding("latin1");
    a.push("x");
    expect(await done).toMatchObject({
      aToB: 0,
      endedBy: "a",
      error: { message: expect.stringContaining("setEncoding was called") },
    });
  });

  test("in the _write of one side of a tunnel: both are destroyed", async () => {
    const a = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const b = new Duplex({ read() {}, write: hostile });
    const ends = [a, b].map((io) => ({ io, readBuf: new Uint8Array(0), readEnded: false }));
    const done = tunnel(ends[0]!, ends[1]!);
    a.push("x");
    expect(await done).toMatchObject({
      endedBy: "b",
      error: { code: "TRANSPORT_FAILED", cause: { message: "hostile" } },
    });
    expect([a.destroyed, b.destroyed]).toEqual([true, true]);
  });
});

describe("L9: no error value crashes the code that handles it:", () => {
  test.each(ERRORS)("a read that rejects with %s", async (_, reason) => {
    const [io, peer] = streamThat((inner) => {
      let calls = 0;
      return { read: () => (calls++ === 0 ? inner.read() : Promise.reject(reason)) };
    });
    const { connection } = await serveQuietly(io);
    const over = rejection(connection.run());
    await peer.send(head("GET /"));
    expect(await over).toBe("TRANSPORT_FAILED");
  });

  test.each(ERRORS)("an abort with %s", async (_, reason) => {
    const io = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
    const { connection } = await serveQuietly(io);
    const over = rejection(connection.run());
    connection.abort(reason);
    expect(await over).toBe("ABORTED");
  });

  test.each(ERRORS)("a tunnel whose signal aborts with %s", async (_, reason) => {
    const ios = [0, 1].map(
      () => new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() }),
    );
    const [a, b] = ios.map((io) => ({ io, readBuf: new Uint8Array(0), readEnded: false }));
    const aborter = new AbortController();
    const done = tunnel(a!, b!, { signal: aborter.signal });
    aborter.abort(reason);
    expect((await done).endedBy).toBe("signal");
    expect(ios.map((io) => io.destroyed)).toEqual([true, true]);
  });
});

describe("L8, L9: chunks detached while they wait to be read", () => {
  test("fail only their connection", async () => {
    const chunks = [head("GET /never"), head("GET /2").slice(0, 20), "rest"].map((text) =>
      Uint8Array.from(Buffer.from(text)),
    );
    const clock = new ManualClock();
    let answer!: () => void;
    const { connection } = await serveOn(
      {
        read: () =>
          Promise.resolve(chunks.shift()!).then((chunk) => chunk ?? new Promise(() => {})),
        write: async () => {},
        closeWrite: async () => {},
        abort: () => {},
      },
      async () => {
        const given = [...chunks];
        await new Promise<void>((resolve) => {
          answer = resolve;
        });
        for (const { buffer } of given) structuredClone(buffer, { transfer: [buffer] });
        return { status: 204 };
      },
      { clock },
    );
    const over = rejection(connection.run());
    await turns();
    answer();
    expect(await stateOf(over)).toBe("TRANSPORT_FAILED");
    const [near, far] = memoryPair();
    await serveQuietly(near);
    const peer = new ScriptedPeer(far);
    await peer.send(head("GET /"));
    expect(await peer.readHead()).toMatch(/^HTTP\/1\.1 204 /);
  });
});

describe("L2: a write before a forced hand-over leaves no timer of ours behind", () => {
  test("on a Duplex that accepts it later", async () => {
    const accept: (() => void)[] = [];
    const io = new Duplex({
      highWaterMark: 1,
      read() {},
      write: (_chunk, _encoding, done) => void accept.push(done),
    });
    const clock = new ManualClock();
    const { connection } = await serveOn(
      io,
      () => ({ status: 200, body: ["first", Buffer.from("second"), "third"] }),
      { clock },
    );
    io.push(head("GET /"));
    await turns();
    connection.intoParts({ force: true });
    accept.shift()!();
    await turns();
    expect(io.writableLength).toBeGreaterThan(0);
    expect(clock.pending).toBe(0);
  });
});
