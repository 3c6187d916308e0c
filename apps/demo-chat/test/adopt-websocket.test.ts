// setSocket and three fields of ws are private. These tests pin what we rely on, so that an upgrade
// of ws that changes it fails here.

import { createRequire } from "node:module";
import { Duplex } from "node:stream";
import type { Parts } from "@upgrade/core/io";
import { describe, expect, test } from "vitest";
import WebSocket, { PerMessageDeflate, Sender } from "ws";
import { adoptWebSocket, textFrame } from "../src/adopt-websocket.ts";

const MAX = 1000;

/** An io driven by the test. */
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
  return { io, parts: { io, readBuf, readEnded } };
}

function masked(text: string): Buffer {
  const options = { fin: true, opcode: 1, mask: true, readOnly: true, rsv1: false };
  return Buffer.concat(Sender.frame(Buffer.from(text), options));
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

const plain = { protocol: "", extensions: {} };

test("relies on exactly ws 8.23.0", () => {
  const { version } = createRequire(import.meta.url)("ws/package.json");
  expect(version, "read ws's lib/websocket.js before you change this number").toBe("8.23.0");
});

test("relies on setSocket(socket, head, options) and on three fields set by the constructor", () => {
  const { setSocket } = WebSocket.prototype as unknown as { setSocket: unknown };
  expect(setSocket).toBeTypeOf("function");
  expect(setSocket).toHaveLength(3);
  const Constructor = WebSocket as unknown as new (...given: unknown[]) => WebSocket;
  const socket = new Constructor(null, undefined, {});
  expect(socket).toMatchObject({ _isServer: true, _protocol: "", _extensions: {} });
  expect(socket.readyState).toBe(WebSocket.CONNECTING);
});

describe("an adopted WebSocket", () => {
  test("is open at once, with the negotiated protocol and extensions", () => {
    const deflate = new PerMessageDeflate({ isServer: true, maxPayload: MAX });
    deflate.accept([{}]);
    const agreement = { protocol: "chat.v1", extensions: { "permessage-deflate": deflate } };
    const socket = adoptWebSocket(switchedTo(Buffer.of()).parts, "server", agreement, MAX);
    expect(socket.readyState).toBe(WebSocket.OPEN);
    expect(socket.protocol).toBe("chat.v1");
    expect(socket.extensions).toBe("permessage-deflate");
  });

  test("reads readBuf first, then the io, even if a frame is split between them", async () => {
    const frames = Buffer.concat([masked("one"), masked("two"), masked("three")]);
    const { io, parts } = switchedTo(new Uint8Array(frames.subarray(0, 12)));
    const socket = adoptWebSocket(parts, "server", plain, MAX);
    const messages = received(socket, 3);
    io.push(frames.subarray(12));
    expect(await messages).toEqual(["one", "two", "three"]);
  });

  test("sees an end that HTTP had already read, after readBuf", async () => {
    const { parts } = switchedTo(masked("last words"), true);
    const socket = adoptWebSocket(parts, "server", plain, MAX);
    const messages = received(socket, 1);
    const code = new Promise((settle) => socket.on("close", settle));
    expect(await messages).toEqual(["last words"]);
    expect(await code).toBe(1006);
  });

  test("masks what a client sends", () => {
    const { io, parts } = switchedTo(Buffer.of());
    adoptWebSocket(parts, "client", plain, MAX).send("hi");
    const frame = Buffer.concat(io.written);
    expect([...frame.subarray(0, 2)]).toEqual([0x81, 0x82]);
    expect(frame).toHaveLength(8);
  });

  test("does not mask what a server sends", () => {
    const { io, parts } = switchedTo(Buffer.of());
    adoptWebSocket(parts, "server", plain, MAX).send("hi");
    expect(Buffer.concat(io.written)).toEqual(Buffer.from([0x81, 0x02, 0x68, 0x69]));
  });

  test("accepts a message of maximum length, and closes with 1009 at one byte more", async () => {
    const { io, parts } = switchedTo(masked("x".repeat(MAX)));
    const socket = adoptWebSocket(parts, "server", plain, MAX);
    const [message] = await received(socket, 1);
    expect(message).toHaveLength(MAX);
    const failed = new Promise<Error>((settle) => socket.on("error", settle));
    io.push(masked("x".repeat(MAX + 1)));
    expect(await failed).toMatchObject({ code: "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH" });
    expect(Buffer.concat(io.written)).toEqual(Buffer.from([0x88, 0x02, 0x03, 0xf1]));
    io.destroy();
  });

  test("ends the io when the peer has answered the close frame", async () => {
    const { io, parts } = switchedTo(Buffer.of());
    const socket = adoptWebSocket(parts, "client", plain, MAX);
    const end = new Promise((settle) => socket.on("close", (code) => settle(code)));
    socket.close(1000);
    io.push(Buffer.from([0x88, 0x02, 0x03, 0xe8]));
    io.on("finish", () => io.push(null));
    expect(await end).toBe(1000);
  });
});

test("frames a text like the example in RFC 6455 §5.7", () => {
  expect(textFrame("Hello")).toEqual(Buffer.from([0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f]));
});

test("frames a longer text in UTF-8 with a two-byte length", () => {
  const frame = textFrame("é".repeat(100));
  expect([...frame.subarray(0, 4)]).toEqual([0x81, 126, 0, 200]);
  expect(frame.subarray(4).toString()).toBe("é".repeat(100));
});
