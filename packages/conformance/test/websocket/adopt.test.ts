// setSocket and three fields of ws are private. This is the contract that adopt() relies on: each
// version of ws is tried, and a new one that breaks it fails here.

import { once } from "node:events";
import { Duplex } from "node:stream";
import { type ByteStream, memoryPair, type Parts } from "@upgrade/core/io";
import { adopt, type WebSocketAgreement } from "@upgrade/websocket";
import { afterEach, describe, expect, test } from "vitest";
import type { WebSocket } from "ws";
import { closeAll, closeLater } from "../../src/pairs/loopback.ts";
import { converse, dialed, echoing, echoingWs } from "../../src/websocket/ends.ts";
import { NEWEST, VERSIONS } from "../../src/websocket/versions.ts";

afterEach(closeAll);

/** An io driven by the test. It is no socket: it has no setTimeout. */
class Io extends Duplex {
  readonly written: Buffer[] = [];
  override _read(): void {}
  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.written.push(chunk);
    done();
  }
}

function switchedTo(readBuf: Uint8Array, readEnded = false): { io: Io; parts: Parts<Duplex> } {
  const io = new Io();
  closeLater(() => io.destroy());
  return { io, parts: { io, readBuf, readEnded } };
}

const plain = (role: WebSocketAgreement["role"], protocol = ""): WebSocketAgreement => ({
  role,
  version: 13,
  protocol,
  extensions: [],
});

/** A text frame of a client, with a mask of zeros (RFC 6455 §5.2). */
function masked(text: string): Buffer {
  const length = text.length < 126 ? [text.length] : [126, text.length >> 8, text.length & 0xff];
  return Buffer.from([
    0x81,
    0x80 | length[0]!,
    ...length.slice(1),
    0,
    0,
    0,
    0,
    ...Buffer.from(text),
  ]);
}

/** Resolves with the first `count` messages. */
function received(socket: WebSocket, count: number): Promise<string[]> {
  const messages: string[] = [];
  return new Promise((settle) => {
    socket.on("message", (data) => {
      if (messages.push(String(data)) === count) settle(messages);
    });
  });
}

describe.each(VERSIONS)("ws $version", (ws) => {
  const { WebSocket } = ws;

  test("is open at once, with the subprotocol", () => {
    const { parts } = switchedTo(Buffer.of());
    const socket = adopt(parts, plain("server", "v1"), { WebSocket });
    expect(socket).toBeInstanceOf(WebSocket);
    expect([socket.readyState, socket.protocol, socket.extensions]).toEqual([
      WebSocket.OPEN,
      "v1",
      "",
    ]);
  });

  test("L1: reads the early bytes first, wherever they end", async () => {
    const frames = Buffer.concat([masked("one"), masked("two")]);
    for (let at = 0; at <= frames.length; at++) {
      const { io, parts } = switchedTo(Uint8Array.from(frames.subarray(0, at)));
      const socket = adopt(parts, plain("server"), { WebSocket });
      const messages = received(socket, 2);
      if (at < frames.length) io.push(frames.subarray(at));
      expect(await messages, `split at ${at}`).toEqual(["one", "two"]);
    }
  });

  test("sees an end that HTTP had already read, after the early bytes", async () => {
    const { parts } = switchedTo(masked("last words"), true);
    const socket = adopt(parts, plain("server"), { WebSocket });
    const closed = once(socket, "close");
    expect(await received(socket, 1)).toEqual(["last words"]);
    expect((await closed)[0]).toBe(1006);
  });

  test.each([
    ["client", [0x81, 0x82], 8],
    ["server", [0x81, 0x02], 4],
  ] as const)("a %s writes frames that begin with %j", (role, begin, length) => {
    const { io, parts } = switchedTo(Buffer.of());
    adopt(parts, plain(role), { WebSocket }).send("hi");
    const frame = Buffer.concat(io.written);
    expect([...frame.subarray(0, 2)]).toEqual(begin);
    expect(frame).toHaveLength(length);
  });

  test("accepts a message of maxPayload, and closes with 1009 at one byte more", async () => {
    const { io, parts } = switchedTo(masked("x".repeat(1_000)));
    const socket = adopt(parts, plain("server"), { WebSocket, maxPayload: 1_000 });
    expect(await received(socket, 1)).toEqual(["x".repeat(1_000)]);
    const failed = once(socket, "error");
    io.push(masked("x".repeat(1_001)));
    expect((await failed)[0]).toMatchObject({ code: "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" });
    expect(Buffer.concat(io.written)).toEqual(Buffer.from([0x88, 0x02, 0x03, 0xf1]));
  });

  test("by default closes with 1009 when a message above 100 MiB begins, and not at 100 MiB", async () => {
    const { io, parts } = switchedTo(Buffer.of());
    const socket = adopt(parts, plain("server"), { WebSocket });
    const failed = once(socket, "error");
    const announce = (length: number) => {
      const head = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 0]);
      head.writeBigUInt64BE(BigInt(length), 2);
      return head;
    };
    const other = switchedTo(announce(100 * 1024 * 1024));
    const accepted = adopt(other.parts, plain("server"), { WebSocket });
    io.push(announce(100 * 1024 * 1024 + 1));
    expect((await failed)[0]).toMatchObject({ code: "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" });
    expect(accepted.readyState).toBe(WebSocket.OPEN);
  });

  test("closes when the peer has answered the close frame", async () => {
    const { io, parts } = switchedTo(Buffer.of());
    const socket = adopt(parts, plain("client"), { WebSocket });
    const closed = once(socket, "close");
    socket.close(1000);
    io.push(Buffer.from([0x88, 0x02, 0x03, 0xe8]));
    io.on("finish", () => io.push(null));
    expect((await closed)[0]).toBe(1000);
  });

  const options = { subprotocols: ["v1"], perMessageDeflate: true };

  test.each([true, false])(
    "its own client talks with our server; compressed: %s",
    async (deflate) => {
      const { url } = await echoing(ws, { subprotocols: ["v1"], perMessageDeflate: deflate });
      const socket = new WebSocket(url, ["v2", "v1"]);
      await once(socket, "open");
      expect([socket.protocol, socket.extensions]).toEqual([
        "v1",
        deflate ? "permessage-deflate" : "",
      ]);
      await converse(socket);
    },
  );

  test.each([true, false])(
    "its own server talks with our client; compressed: %s",
    async (deflate) => {
      const port = await echoingWs(ws, { perMessageDeflate: deflate });
      const { socket, agreement } = await dialed(ws, port, options);
      expect([socket.protocol, agreement.deflate !== undefined]).toEqual(["v1", deflate]);
      await converse(socket);
    },
  );

  test.each([
    {},
    { serverNoContextTakeover: true },
    { clientNoContextTakeover: true, serverMaxWindowBits: 9 },
    { clientMaxWindowBits: 9 },
    { serverMaxWindowBits: 8, clientMaxWindowBits: 8, serverNoContextTakeover: true },
  ])("both our ends talk, compressed with %j", async (limits) => {
    const { port, agreements } = await echoing(ws, { perMessageDeflate: limits });
    const { socket, agreement } = await dialed(ws, port, options);
    expect(socket.extensions).toBe("permessage-deflate");
    expect(agreement.deflate).toMatchObject(limits);
    expect(agreements[0]!.deflate).toEqual(agreement.deflate);
    await converse(socket);
  });
});

test("the newest ws is the one whose code adopt() was read against", () => {
  expect(NEWEST.version, "read setSocket() in ws's lib/websocket.js, then change this").toBe(
    "8.23.0",
  );
});

describe("what cannot be adopted is refused, and its io aborted:", () => {
  const { WebSocket, PerMessageDeflate } = NEWEST;
  const deflate = {
    serverNoContextTakeover: false,
    clientNoContextTakeover: false,
    serverMaxWindowBits: 15,
    clientMaxWindowBits: 15,
  };
  const compressed = { ...plain("server"), deflate };
  test.each<[string, unknown, unknown, string]>([
    ["no options", plain("server"), undefined, "options are undefined"],
    ["no class", plain("server"), {}, "WebSocket is undefined without ws's setSocket()"],
    [
      "another class",
      plain("server"),
      { WebSocket: EventTarget },
      "WebSocket is a function without",
    ],
    ["no agreement", undefined, { WebSocket }, "the agreement is undefined"],
    ["another agreement", { protocol: "v1" }, { WebSocket }, "the agreement is an object"],
    ["half an agreement", { role: "client" }, { WebSocket }, "the agreement is an object"],
    ["a forged agreement", { ...plain("server"), deflate: true }, { WebSocket }, "the agreement is an object"], // biome-ignore format: one line
    [
      "an unknown option",
      plain("server"),
      { WebSocket, maxPayloadBytes: 1 },
      "did you mean maxPayload",
    ],
    [
      "a bad limit",
      plain("server"),
      { WebSocket, maxPayload: -1 },
      "maxPayload is -1, not a whole",
    ],
    ["compression without its class", compressed, { WebSocket }, "pass PerMessageDeflate of ws"],
    ["options of compression", compressed, { WebSocket, PerMessageDeflate, deflateOptions: 7 }, "deflateOptions is 7"], // biome-ignore format: one line
  ])("%s", (_, agreement, options, words) => {
    const { io, parts } = switchedTo(Buffer.of());
    expect(() => adopt(parts, agreement as never, options as never)).toThrow(
      expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringContaining(words) }),
    );
    expect(io.destroyed).toBe(true);
  });

  test("an io that is no stream of Node", async () => {
    const [near, far] = memoryPair();
    const parts: Parts<ByteStream> = { io: near, readBuf: new Uint8Array(), readEnded: false };
    expect(() => adopt(parts, plain("server"), { WebSocket })).toThrow(
      expect.objectContaining({ code: "INVALID_IO" }),
    );
    await expect(far.read()).rejects.toThrow();
  });

  test.each([
    ["an io alone", (io: Io) => io],
    ["parts without readBuf", (io: Io) => ({ io })],
    ["parts whose readBuf is text", (io: Io) => ({ io, readBuf: "early" })],
  ])("%s", (_, make) => {
    const { io } = switchedTo(Buffer.of());
    expect(() => adopt(make(io) as never, plain("server"), { WebSocket })).toThrow(
      expect.objectContaining({
        code: "INVALID_IO",
        message: expect.stringContaining("pass the parts of a connection"),
      }),
    );
    expect(io.destroyed).toBe(true);
  });

  test("no parts", () => {
    expect(() => adopt(undefined as never, plain("server"), { WebSocket })).toThrow(
      expect.objectContaining({ code: "INVALID_IO" }),
    );
  });
});
