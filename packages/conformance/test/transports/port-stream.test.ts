import { MessageChannel, Worker } from "node:worker_threads";
import { type PortLike, portStream } from "@upgrade/core/io";
import { afterEach, describe, expect, test } from "vitest";
import { allOf } from "../../src/byte-streams.ts";
import { bytes, latin1 } from "../../src/messages.ts";
import { abortPorts, portPair, track } from "../../src/pairs/ports.ts";
import { codeOr, stateOf } from "../../src/promises.ts";
import { turns, watchUnhandled } from "../../src/turns.ts";

afterEach(abortPorts);

/** A stream, and the bare port at the other end: what it sends, and a way to send it anything. */
function besides(options: Parameters<typeof portStream>[1] = {}) {
  const { port1, port2 } = new MessageChannel();
  const stream = portStream(port1, options);
  track(stream);
  const sent: unknown[] = [];
  const state = { isClosed: false };
  port2.on("message", (message) => sent.push(message));
  port2.on("close", () => {
    state.isClosed = true;
  });
  return { stream, port: port2, sent, state };
}

describe("what an end sends:", () => {
  test("its room first, then bytes in memory of their own, and its end", async () => {
    const { stream, port, sent } = besides({ highWaterBytes: 10 });
    const shared = bytes("(one)(two)");
    const written = [stream.write([shared.subarray(1, 4), shared.subarray(6, 9)])];
    written.push(stream.closeWrite());
    await turns();
    expect(sent).toEqual([10]);
    port.postMessage(100);
    await Promise.all(written);
    await turns();
    expect(sent).toEqual([10, bytes("one"), bytes("two"), "end"]);
    expect((sent[1] as Uint8Array).buffer.byteLength).toBe(3);
    expect(latin1(shared)).toBe("(one)(two)");
  });

  test("no more bytes than the other end has room for", async () => {
    const { stream, port, sent } = besides();
    const written = stream.write([bytes("0123456789")]);
    for (const room of [1, 4, 2]) {
      port.postMessage(room);
      await turns();
      expect(sent.at(-1)).toHaveLength(room);
      expect(await stateOf(written)).toBe("pending");
    }
    port.postMessage(3);
    await written;
    await turns();
    expect(Buffer.concat(sent.slice(1) as Uint8Array[]).toString()).toBe("0123456789");
  });

  test("room again once half of it has been read", async () => {
    const { stream, port, sent } = besides({ highWaterBytes: 10 });
    for (const text of ["1234", "5", "67890"]) port.postMessage(bytes(text));
    await stream.read();
    await turns();
    expect(sent).toEqual([10]);
    await stream.read();
    await turns();
    expect(sent).toEqual([10, 5]);
    await stream.read();
    await turns();
    expect(sent).toEqual([10, 5, 5]);
  });

  test("why it was aborted, in words", async () => {
    const { stream, sent, state } = besides();
    stream.abort(new Error("enough"));
    await turns();
    expect(sent.at(-1)).toEqual({ aborted: "enough" });
    expect(state.isClosed).toBe(true);
  });
});

test.each([1, 2, 3, 7, 64])("a room of %i bytes is enough for both ways at once", async (room) => {
  const [a, b] = portPair({ highWaterBytes: room });
  const [there, back] = ["there ".repeat(50), "and back ".repeat(30)];
  const [atB, atA] = await Promise.all([
    allOf(b),
    allOf(a),
    a.write([bytes(there)]),
    a.closeWrite(),
    b.write([bytes(back)]),
    b.closeWrite(),
  ]);
  expect([atB, atA]).toEqual([there, back]);
});

test("an end made later gets what was sent before", async () => {
  const { port1, port2 } = new MessageChannel();
  const a = portStream(port1);
  const written = a.write([bytes("early")]);
  await turns();
  expect(await stateOf(written)).toBe("pending");
  const b = portStream(port2);
  track(a);
  track(b);
  await written;
  expect(latin1((await b.read())!)).toBe("early");
});

test("both ports are closed when both sides have ended, and no earlier", async () => {
  const { stream, port, state } = besides();
  await stream.closeWrite();
  await turns();
  expect(state.isClosed).toBe(false);
  port.postMessage(bytes("last"));
  port.postMessage("end");
  await turns();
  expect(state.isClosed).toBe(true);
  expect(latin1((await stream.read())!)).toBe("last");
  expect([await stream.read(), await stream.read()]).toEqual([null, null]);
  expect(await stateOf(stream.gone!)).toBe("pending");
});

/** What the other end does wrong, and what the stream says. */
const WRONG: [string, (port: MessageChannel["port1"]) => void, RegExp][] = [
  ["closes its port", (port) => port.close(), /^the port is closed$/],
  ["aborts", (port) => port.postMessage({ aborted: "enough" }), /^the other end aborted: enough$/],
  ["sends text", (port) => port.postMessage("text"), /not of a portStream$/],
  ["sends null", (port) => port.postMessage(null), /not of a portStream$/],
  ["sends undefined", (port) => port.postMessage(undefined), /not of a portStream$/],
  ["sends other elements", (port) => port.postMessage(new Uint16Array(2)), /not of a portStream$/],
  ["grants no room", (port) => port.postMessage(0), /not of a portStream$/],
  ["grants less than none", (port) => port.postMessage(-5), /not of a portStream$/],
  ["grants no number", (port) => port.postMessage(Number.NaN), /not of a portStream$/],
  ["sends an object", (port) => port.postMessage({ aborted: 5 }), /not of a portStream$/],
  [
    "sends too much",
    (port) => port.postMessage(new Uint8Array(11)),
    /more bytes than there is room/,
  ],
  [
    "sends bytes after its end",
    (port) => {
      port.postMessage("end");
      port.postMessage(bytes("x"));
    },
    /bytes after its end$/,
  ],
];

test.each(WRONG)("an end that %s is a failure, and nothing stays open", async (_, act, message) => {
  const unhandled = watchUnhandled();
  const { stream, port, state } = besides({ highWaterBytes: 10 });
  const write = stream.write([bytes("unsent")]);
  const read = stream.read();
  act(port);
  await expect(write).rejects.toThrow(message);
  expect(await stream.gone).toMatchObject({ message: expect.stringMatching(message) });
  await read.catch(() => {});
  await expect(stream.read()).rejects.toThrow(message);
  await expect(stream.write([bytes("x")])).rejects.toThrow(message);
  await expect(stream.closeWrite()).rejects.toThrow(message);
  await turns();
  expect(state.isClosed).toBe(true);
  expect(await unhandled.settled()).toEqual([]);
  unhandled.stop();
});

test("a write after closeWrite is refused, an empty one has no effect", async () => {
  const [a, b] = portPair();
  await a.write([]);
  await a.write([new Uint8Array(0)]);
  await a.closeWrite();
  await a.closeWrite();
  await expect(a.write([bytes("x")])).rejects.toThrow("write after end");
  expect(await b.read()).toBe(null);
});

test.each([null, undefined, 5, {}, new EventTarget()])("%o is no port: INVALID_IO", (port) => {
  let thrown: unknown;
  try {
    portStream(port as unknown as PortLike);
  } catch (error) {
    thrown = error;
  }
  expect(codeOr(thrown)).toBe("INVALID_IO");
});

test.each([0, -1, 1.5, Infinity, Number.NaN, "1"])("a room of %o is INVALID_OPTION", (room) => {
  const { port1 } = new MessageChannel();
  const make = () => portStream(port1, { highWaterBytes: room as number });
  expect(make).toThrow(/highWaterBytes is .*, not a whole number of at least 1$/);
  port1.close();
});

/** A port as browsers have it: no `on`, silent before `start()`, and not every one reports a close. */
function browserPort(port: MessageChannel["port1"]): PortLike {
  const target = new EventTarget();
  let isStarted = false;
  const early: unknown[] = [];
  const dispatch = (data: unknown) => target.dispatchEvent(new MessageEvent("message", { data }));
  port.on("message", (data) => (isStarted ? dispatch(data) : early.push(data)));
  return {
    postMessage: (message, transfer) => port.postMessage(message, transfer),
    addEventListener: (type, listener) => target.addEventListener(type, listener),
    removeEventListener: (type, listener) => target.removeEventListener(type, listener),
    start() {
      isStarted = true;
      for (const data of early.splice(0)) dispatch(data);
    },
    close: () => port.close(),
  };
}

test("a browser's port carries bytes, too", async () => {
  const { port1, port2 } = new MessageChannel();
  const [a, b] = [portStream(browserPort(port1)), portStream(browserPort(port2))];
  track(a);
  track(b);
  await Promise.all([a.write([bytes("hello")]), a.closeWrite(), b.closeWrite()]);
  expect([await allOf(b), await allOf(a)]).toEqual(["hello", ""]);
});

// The other end in another thread, in words of its own.
const ECHO = `
  const { parentPort, workerData } = require("node:worker_threads");
  workerData.on("message", (message) => {
    if (message instanceof Uint8Array) {
      workerData.postMessage(message.byteLength);
      workerData.postMessage(message, [message.buffer]);
    } else if (message === "end") workerData.postMessage("end");
  });
  workerData.postMessage(65536);
  parentPort.on("message", () => process.exit());`;

test("another thread sends back what it gets; when it exits, that is a failure", async () => {
  const { port1, port2 } = new MessageChannel();
  const worker = new Worker(ECHO, { eval: true, workerData: port2, transferList: [port2] });
  const stream = portStream(port1);
  const sent = Buffer.alloc(300_000, "0123456789");
  const read = (async () => {
    const got: Uint8Array[] = [];
    for (let length = 0; length < sent.length; length += got.at(-1)!.length) {
      got.push((await stream.read())!);
    }
    return Buffer.concat(got);
  })();
  await stream.write([sent]);
  expect(sent.equals(await read)).toBe(true);
  worker.postMessage("exit");
  expect(await stream.gone).toMatchObject({ message: "the port is closed" });
  await expect(stream.read()).rejects.toThrow("the port is closed");
});

describe("a port of a browser that", () => {
  /** A port without another end, that fails as a test wants. */
  function brokenPort(postMessage: (message: unknown) => void) {
    const target = new EventTarget();
    const state = { isClosed: false };
    const port: PortLike = {
      postMessage,
      addEventListener: (type, listener) => target.addEventListener(type, listener),
      removeEventListener: (type, listener) => target.removeEventListener(type, listener),
      start() {},
      close() {
        state.isClosed = true;
      },
    };
    return { port, target, state };
  }

  test("gets a message it cannot read has failed, and the other end learns of it", async () => {
    const sent: unknown[] = [];
    const { port, target, state } = brokenPort((message) => sent.push(message));
    const stream = portStream(port);
    const read = stream.read();
    target.dispatchEvent(new Event("messageerror"));
    await expect(read).rejects.toThrow("the other end sent a message that is unreadable");
    expect(await stream.gone).toMatchObject({ message: expect.stringMatching(/unreadable$/) });
    expect([sent.length, sent[1], state.isClosed]).toEqual([
      2,
      { aborted: "the other end sent a message that is unreadable" },
      true,
    ]);
  });

  test("cannot post has failed, with that as the cause", async () => {
    const boom = new Error("boom");
    let isBroken = false;
    const { port, target, state } = brokenPort(() => {
      if (isBroken) throw boom;
    });
    const stream = portStream(port);
    const written = stream.write([bytes("x")]);
    isBroken = true;
    target.dispatchEvent(new MessageEvent("message", { data: 100 }));
    await expect(written).rejects.toMatchObject({ message: "the port failed", cause: boom });
    expect(await stream.gone).toMatchObject({ cause: boom });
    await expect(stream.closeWrite()).rejects.toThrow("the port failed");
    expect(state.isClosed).toBe(true);
  });

  test("cannot post the end has failed, and closeWrite with it", async () => {
    const boom = new Error("boom");
    const { port, state } = brokenPort((message) => {
      if (message === "end") throw boom;
    });
    const stream = portStream(port);
    await expect(stream.closeWrite()).rejects.toMatchObject({ cause: boom });
    expect(state.isClosed).toBe(true);
  });

  test("still reports something after its failure changes nothing", async () => {
    const { port, target } = brokenPort(() => {});
    const stream = portStream({ ...port, removeEventListener: () => {} });
    target.dispatchEvent(new Event("messageerror"));
    target.dispatchEvent(new MessageEvent("message", { data: bytes("late") }));
    target.dispatchEvent(new Event("close"));
    expect(await stream.gone).toMatchObject({ message: expect.stringMatching(/unreadable$/) });
    await expect(stream.read()).rejects.toThrow("unreadable");
  });

  test("gets an empty chunk reads on", async () => {
    const { port, target } = brokenPort(() => {});
    const read = portStream(port).read();
    target.dispatchEvent(new MessageEvent("message", { data: bytes("") }));
    target.dispatchEvent(new MessageEvent("message", { data: bytes("x") }));
    expect(latin1((await read)!)).toBe("x");
  });
});
