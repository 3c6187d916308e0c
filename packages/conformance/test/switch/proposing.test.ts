import net from "node:net";
import { Readable } from "node:stream";
import { type ClientRequest, connect, upgrade } from "@upgrade/client";
import { type ByteStream, type Io, memoryPair } from "@upgrade/core/io";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dial } from "../../src/ends.ts";
import { answer, POST } from "../../src/messages.ts";
import { closedPort } from "../../src/pairs/closed-port.ts";
import { destroyPairs, duplexPair, PAIRS, tcpPair } from "../../src/pairs/pairs.ts";
import { stateOf } from "../../src/promises.ts";
import { ScriptedPeer } from "../../src/scripted-peer.ts";
import { ANSWER, KINDS } from "../../src/switching.ts";
import { turns, type Unhandled, watchUnhandled } from "../../src/turns.ts";
import { untyped } from "../../src/ways-to-send.ts";

let unhandled: Unhandled;

beforeEach(() => {
  unhandled = watchUnhandled();
});

afterEach(() => {
  unhandled.stop();
  destroyPairs();
});

const CHAT = { target: "/", protocol: "chat", headers: { Host: "a.test" } };

type Request = Parameters<typeof upgrade>[1];

type Options = Parameters<typeof upgrade>[2];

const request = (parts: object): Request => untyped<Request>({ ...CHAT, ...parts });
const options = (parts: unknown): Options => untyped<Options>(parts);

/** Invalid arguments of `upgrade()` and `connect()`, and the code each is refused with. */
const FAULTS: [string, string, (io: Io) => Promise<unknown>][] = [
  ["an invalid field", "INVALID_HEADER", (io) => upgrade(io, request({ headers: { A: "\n" } }))],
  ["no Host", "INVALID_HOST", (io) => upgrade(io, request({ headers: {} }))],
  ["an invalid target", "INVALID_TARGET", (io) => upgrade(io, request({ target: "chat" }))],
  ["an invalid body", "INVALID_BODY", (io) => upgrade(io, request({ body: 42 }))],
  ["a protocol that is a number", "INVALID_OPTION", (io) => upgrade(io, request({ protocol: 42 }))],
  ["a protocol that is null", "INVALID_OPTION", (io) => upgrade(io, request({ protocol: null }))],
  [
    "a list with an invalid protocol",
    "INVALID_OPTION",
    (io) => upgrade(io, request({ protocol: [1] })),
  ],
  ["an empty list of protocols", "INVALID_OPTION", (io) => upgrade(io, request({ protocol: [] }))],
  ["no request", "INVALID_OPTION", (io) => upgrade(io, untyped<Request>(null))],
  ["an invalid option", "INVALID_OPTION", (io) => upgrade(io, CHAT, { timeoutMs: -1 })],
  ["options that are null", "INVALID_OPTION", (io) => upgrade(io, CHAT, options(null))],
  ["an invalid authority", "INVALID_TARGET", (io) => connect(io, "a.test")],
  [
    "an invalid field of CONNECT",
    "INVALID_HEADER",
    (io) => connect(io, "a:1", { headers: { A: "\n" } }),
  ],
  ["invalid options of CONNECT", "INVALID_OPTION", (io) => connect(io, "a:1", options(null))],
];

describe("L8: upgrade() and connect() own the io from the call on:", () => {
  describe.each(FAULTS)("with %s", (_, code, begin) => {
    test.each(PAIRS)("a $name is aborted, with nothing sent", async ({ make }) => {
      const [near, far] = await make();
      const peer = new ScriptedPeer(far);
      await expect(begin(near)).rejects.toMatchObject({ name: "LocalProtocolError", code });
      expect(await peer.readToLast()).toBe("");
      expect(await unhandled.settled()).toEqual([]);
    });

    test("a socket that then fails to connect does not end the process", async () => {
      const socket = net.connect(await closedPort(), "127.0.0.1");
      await expect(begin(socket)).rejects.toMatchObject({ code });
      expect(socket.destroyed).toBe(true);
      await turns(20);
      expect(await unhandled.settled()).toEqual([]);
    });
  });

  test("a socket that has already failed does not end the process", async () => {
    for (const [, code, begin] of FAULTS) {
      const [near] = duplexPair();
      near.removeAllListeners("error");
      near.destroy(new Error("it broke"));
      await expect(begin(near)).rejects.toMatchObject({ code });
    }
    expect(await unhandled.settled()).toEqual([]);
  });

  test("a socket refused with INVALID_IO stays the caller's", async () => {
    for (const begin of [FAULTS[0]![2], (io: Io) => upgrade(io, CHAT)]) {
      const [near] = await tcpPair();
      const seen: unknown[] = [];
      near.on("data", (bytes) => seen.push(bytes));
      await expect(begin(near)).rejects.toMatchObject({ name: "LocalProtocolError" });
      expect([near.destroyed, near.listenerCount("error"), seen]).toEqual([false, 0, []]);
    }
  });
});

describe("L4, L8: an upgrade() that proposes nothing is refused, with nothing sent:", () => {
  test.each<[string, object]>([
    ["Connection: Upgrade alone", { headers: { Host: "a.test", Connection: "Upgrade" } }],
    ["a misspelt `protocols`", { protocols: "chat" }],
    ["an ordinary request", { method: "POST", body: "hello" }],
  ])("%s", async (_, parts) => {
    const [near, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const body = new Readable({ read() {} });
    const pending = upgrade(near, request({ protocol: undefined, body, ...parts }));
    await expect(pending).rejects.toMatchObject({
      code: "NO_PROPOSAL",
      sent: "nothing",
      message: expect.stringContaining("give a `protocol`"),
    });
    expect(body.destroyed).toBe(!("body" in parts));
    await peer.failed();
    expect(peer.unread).toBe("");
  });
});

/** A request refused because of one part, and its other parts. */
const REFUSED: [string, (content: object) => Promise<unknown>][] = [
  [
    "sendRequest()",
    async (content) => (await dial()).sender.sendRequest(without("target", content)),
  ],
  ["upgrade()", async (content) => upgrade(memoryPair()[0], without("headers", content))],
  [
    "upgrade() with a bad option",
    async (content) => upgrade(memoryPair()[0], request(content), options({ a: 1 })),
  ],
  [
    "upgrade() with a bad protocol",
    async (content) => upgrade(memoryPair()[0], request({ ...content, protocol: 42 })),
  ],
  [
    "upgrade() without a proposal",
    async (content) => upgrade(memoryPair()[0], request({ ...content, protocol: undefined })),
  ],
];

/** A request whose `part` throws when it is read. */
function without(part: string, content: object): ClientRequest {
  const given = { ...POST, protocol: "chat", ...content };
  return Object.defineProperty(given, part, {
    get: () => {
      throw new Error("no");
    },
  });
}

describe.each(REFUSED)("L8: %s that is refused", (_, send) => {
  test("releases its body, in any order of reading", async () => {
    const body = new Readable({ read() {} });
    await expect(send({ body })).rejects.toMatchObject({ name: "LocalProtocolError" });
    expect(body.destroyed).toBe(true);
  });

  test("does not end the process if its trailers reject later", async () => {
    const trailers = turns(2).then(() => Promise.reject(new Error("trailers")));
    await expect(send({ body: "a", trailers })).rejects.toMatchObject({
      name: "LocalProtocolError",
    });
    await turns(10);
    expect(await unhandled.settled()).toEqual([]);
  });
});

describe("upgrade() and connect()", () => {
  const KINDS_OF_SUGAR = {
    upgrade: (io: ByteStream, signal: AbortSignal) =>
      upgrade(io, { target: "/", protocol: "chat", headers: { Host: "a.test" } }, { signal }),
    connect: (io: ByteStream, signal: AbortSignal) => connect(io, "a.test:80", { signal }),
  };

  test.each(KINDS)("L2: a signal has no effect after the switch of %s()", async (kind) => {
    const [io, far] = memoryPair();
    const peer = new ScriptedPeer(far);
    const stop = new AbortController();
    const result = KINDS_OF_SUGAR[kind](io, stop.signal);
    await peer.readHead();
    await peer.send(ANSWER[kind]);
    expect((await result).switched).toBe(true);
    stop.abort();
    await turns();
    expect(peer.failure).toBe(undefined);
    await io.write([Buffer.from("alive")]);
    expect(await peer.read(5)).toBe("alive");
  });

  test.each(KINDS)(
    "L13: a signal cancels %s() before the switch, and nothing is left",
    async (kind) => {
      const [io, far] = memoryPair();
      const peer = new ScriptedPeer(far);
      const stop = new AbortController();
      const result = KINDS_OF_SUGAR[kind](io, stop.signal);
      await peer.readHead();
      expect(await stateOf(result)).toBe("pending");
      stop.abort("enough");
      await expect(result).rejects.toMatchObject({ code: "CANCELED", cause: "enough" });
      await peer.failed();
    },
  );

  test.each(KINDS)(
    "L7: a refusal of %s() that closes ends the connection when its body is canceled",
    async (kind) => {
      const [io, far] = memoryPair();
      const peer = new ScriptedPeer(far);
      const result = KINDS_OF_SUGAR[kind](io, new AbortController().signal);
      await peer.readHead();
      await peer.send(`${answer("403 No", "Connection: close", "Content-Length: 2")}no`);
      const refused = await result;
      if (refused.switched) throw new Error("it switched");
      expect(await refused.response.body.cancel()).toBe("drained");
      expect(await peer.readToEnd()).toBe("");
      await peer.end();
      expect(await refused.connection.closed).toMatchObject({ kind: "not-persistent" });
      expect(refused.sender.isClosed).toBe(true);
    },
  );
});
