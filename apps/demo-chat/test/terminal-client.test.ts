// Our client with servers of others: ws's own, and some that answer wrongly.

import { createHash } from "node:crypto";
import { once } from "node:events";
import { describe, expect, test } from "vitest";
import type WebSocket from "ws";
import { JoinRefused, joinChat } from "../src/terminal-client.ts";
import { rawServer, wsServer } from "./chat-fixture.ts";

/** RFC 6455 §4.2.2. */
const acceptOf = (key: string): string =>
  createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");

const WELCOME = '{"type":"welcome","you":"alice","people":[]}';

describe.each([
  ["with permessage-deflate", true, ["permessage-deflate"]],
  ["without extensions", false, []],
])("ws's server %s", (_, perMessageDeflate, extensions) => {
  test("connects, and exchanges messages of 1 MiB, whole and in fragments", async () => {
    const { server, url } = await wsServer({ perMessageDeflate });
    const connected = once(server, "connection") as Promise<[WebSocket]>;
    const client = await joinChat(url, { name: "alice" });
    const [peer] = await connected;
    expect(client.agreement.protocol).toBe("chat.v1");
    expect(client.agreement.extensions.map(({ name }) => name)).toEqual(extensions);

    const text = "abcdefgh".repeat(128 * 1024);
    const received = once(peer, "message");
    client.say(text);
    expect(JSON.parse(String((await received)[0]))).toEqual({ type: "message", text });

    const json = JSON.stringify({ type: "message", from: "ws", text });
    peer.send(json.slice(0, 10), { fin: false });
    peer.ping();
    peer.send(json.slice(10), { fin: true });
    expect(await client.next()).toEqual({ type: "message", from: "ws", text });
  });
});

test("a close started by ws's server is answered and reported", async () => {
  const { server, url } = await wsServer();
  server.on("connection", (peer) => {
    peer.send(WELCOME);
    peer.send('{"type":"unknown"}');
    peer.close(4000, "enough");
    peer.on("close", (code) => server.emit("answered", code));
  });
  const answered = once(server, "answered");
  const client = await joinChat(url);
  expect(await client.next()).toEqual(JSON.parse(WELCOME));
  expect(await client.next()).toBeUndefined();
  expect(await client.ended).toEqual({ code: 4000, reason: "enough" });
  expect(await answered).toEqual([4000]);
});

test("a refusal by ws's server is an error with its status and message", async () => {
  const { url } = await wsServer({ verifyClient: (_, done) => done(false, 403, "Not today") });
  const refused = joinChat(url);
  await expect(refused).rejects.toThrow(JoinRefused);
  await expect(refused).rejects.toMatchObject({ status: 403, message: /Not today/ });
});

/** A server that answers every key with a custom 101. `left` resolves when the client disconnects. */
async function lyingServer(
  lines: (key: string) => string,
): Promise<{ url: URL; left: Promise<void> }> {
  let leave = (): void => {};
  const left = new Promise<void>((settle) => {
    leave = settle;
  });
  const url = await rawServer((socket) => {
    let head = "";
    socket.on("close", leave);
    socket.on("data", (bytes) => {
      head += bytes;
      const key = /sec-websocket-key: (.*)\r\n/i.exec(head)?.[1];
      if (!head.endsWith("\r\n\r\n") || key === undefined) return;
      const switching = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n";
      socket.write(`${switching}Upgrade: websocket\r\n${lines(key)}\r\n`);
    });
  });
  return { url, left };
}

test.each([
  ["no accept value", "no-accept-key", () => "Sec-WebSocket-Protocol: chat.v1\r\n"],
  [
    "the accept value of another key",
    "wrong-accept-key",
    () => `Sec-WebSocket-Accept: ${acceptOf("x")}\r\nSec-WebSocket-Protocol: chat.v1\r\n`,
  ],
  [
    "another subprotocol",
    "unknown-subprotocol",
    (key: string) =>
      `Sec-WebSocket-Accept: ${acceptOf(key)}\r\nSec-WebSocket-Protocol: chat.v2\r\n`,
  ],
  [
    "an extension that was not offered",
    "unknown-extension",
    (key: string) =>
      `Sec-WebSocket-Accept: ${acceptOf(key)}\r\nSec-WebSocket-Protocol: chat.v1\r\nSec-WebSocket-Extensions: x-mux\r\n`,
  ],
])("a 101 with %s is rejected, and the connection closed", async (_, reason, lines) => {
  const { url, left } = await lyingServer(lines);
  const joined = joinChat(url);
  await expect(joined).rejects.toMatchObject({ code: "AGREEMENT_FAILED", cause: { reason } });
  await left;
});

test("a silent server times out", async () => {
  const url = await rawServer(() => {});
  await expect(joinChat(url, { timeoutMs: 1 })).rejects.toThrow();
});

test("a refused connection is an error", async () => {
  const { server, url } = await wsServer();
  server.close();
  await once(server, "close");
  await expect(joinChat(url)).rejects.toThrow("nothing listens there");
});
