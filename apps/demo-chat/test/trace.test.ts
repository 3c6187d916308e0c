import { once } from "node:events";
import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import picocolors from "picocolors";
import { expect, test } from "vitest";
import { joinChat } from "../src/terminal-client.ts";
import { escapedLines, Trace } from "../src/trace.ts";
import { worded } from "../src/wording.ts";
import { afterTest, chat, RawPeer, rawServer, webSocketRequest } from "./chat-fixture.ts";

const PLAIN = picocolors.createColors(false);

function traced(label: string): { lines: string[]; trace: Trace } {
  const lines: string[] = [];
  return { lines, trace: new Trace(label, (line) => lines.push(line), PLAIN) };
}

/** A tapped client socket, and the peer's end of it. */
async function tapped(): Promise<{ io: Duplex; peer: Socket; lines: string[] }> {
  let meet = (_: Socket): void => {};
  const met = new Promise<Socket>((settle) => {
    meet = settle;
  });
  const url = await rawServer((socket) => meet(socket));
  const { lines, trace } = traced("x");
  const socket = connect(Number(url.port), "127.0.0.1");
  const io = trace.tap(socket);
  afterTest(() => io.destroy());
  await once(socket, "connect");
  return { io, peer: await met, lines };
}

test("bytes are shown as lines of printable ASCII, each with its line end", () => {
  const bytes = Buffer.from('GET / HTTP/1.1\r\nA: \\ \t\xe9\r\n\r\n\x81\x7e\x00\n"', "latin1");
  expect(escapedLines(bytes)).toEqual([
    "GET / HTTP/1.1\\r\\n",
    "A: \\\\ \\t\\xe9\\r\\n",
    "\\r\\n",
    '\\x81~\\x00\\n"',
  ]);
});

test("a client's trace is its request, the answer in one piece, the switch, and readBuf", async () => {
  const server = await chat();
  const { lines, trace } = traced("alice");
  const client = await joinChat(new URL(server.url), { name: "alice", trace });
  const blank = "       ";
  const masked = lines.map((line) => line.replace(/(Key|Accept|Date): .*/, "$1: …"));
  expect(masked).toEqual([
    "alice → GET /chat?name=alice HTTP/1.1\\r\\n",
    `${blank} Host: 127.0.0.1:${server.port}\\r\\n`,
    `${blank} Sec-WebSocket-Version: 13\\r\\n`,
    `${blank} Sec-WebSocket-Key: …`,
    `${blank} Sec-WebSocket-Protocol: chat.v1\\r\\n`,
    `${blank} Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\\r\\n`,
    `${blank} Connection: Upgrade\\r\\n`,
    `${blank} Upgrade: websocket\\r\\n`,
    `${blank} \\r\\n`,
    "alice ← HTTP/1.1 101 Switching Protocols\\r\\n",
    `${blank} Sec-WebSocket-Accept: …`,
    `${blank} Sec-WebSocket-Protocol: chat.v1\\r\\n`,
    `${blank} Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\\r\\n`,
    `${blank} Connection: Upgrade\\r\\n`,
    `${blank} Upgrade: websocket\\r\\n`,
    `${blank} Date: …`,
    `${blank} \\r\\n`,
    `${blank} \\x81,{"type":"welcome","you":"alice","people":[]}`,
    "alice ⇄ switched to websocket; readBuf holds 46 bytes",
    `${blank} \\x81,{"type":"welcome","you":"alice","people":[]}`,
  ]);
  expect(await client.next()).toMatchObject({ type: "welcome" });
  await client.leave();
});

test("a server's trace shows the same from the other end, and what a hasty client sent", async () => {
  const { lines, trace } = traced("s");
  const server = await chat({ trace: () => trace });
  const peer = await RawPeer.connect(server.port);
  peer.socket.write(`${webSocketRequest()}\x88`, "latin1");
  await peer.until((text) => text.includes("welcome"));
  expect(lines[0]).toBe("s     ← GET /chat?name=raw HTTP/1.1\\r\\n");
  expect(lines).toContain("s     → HTTP/1.1 101 Switching Protocols\\r\\n");
  expect(lines.slice(-2)).toEqual([
    "s     ⇄ switched to websocket; readBuf holds 1 byte",
    "        \\x88",
  ]);
});

test("of a page only its beginning is shown", async () => {
  const { lines, trace } = traced("s");
  const server = await chat({ trace: () => trace });
  const peer = await RawPeer.connect(server.port);
  peer.socket.write(`GET /?${"q".repeat(300)} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
  await once(peer.socket, "end");
  expect(peer.text).toMatch(/<\/html>\n$/);
  expect(lines[0]).toMatch(/q… \(319 characters\)$/);
  expect(lines.length).toBeLessThan(40);
  for (const line of lines) expect(line.length).toBeLessThan(200);
});

test("a tapped socket loses nothing when the peer's end comes before anybody reads", async () => {
  const { io, peer } = await tapped();
  peer.end("x".repeat(100_000));
  await once(io, "readable");
  let length = 0;
  for await (const bytes of io as AsyncIterable<Buffer>) length += bytes.length;
  expect(length).toBe(100_000);
});

test("a tapped socket does not read on when nobody reads from it", async () => {
  const { io, peer } = await tapped();
  const size = 8 * 1024 * 1024;
  const accepted = new Promise((settle) => peer.write(Buffer.alloc(size), settle));
  await once(io, "readable");
  expect(io.readableLength).toBeLessThan(size / 4);
  let length = 0;
  io.on("data", (bytes: Buffer) => {
    length += bytes.length;
    if (length === size) peer.end();
  });
  await accepted;
  await once(io, "end");
  expect(length).toBe(size);
});

test("a tapped socket tells its owner of a reset, and the peer of its owner's", async () => {
  const one = await tapped();
  const failed = once(one.io, "error");
  one.peer.resetAndDestroy();
  one.io.resume();
  expect(await failed).toEqual([expect.objectContaining({ code: "ECONNRESET" })]);

  const other = await tapped();
  const reset = new Promise((settle) => other.peer.on("error", settle));
  other.peer.resume();
  (other.io as Duplex & { resetAndDestroy(): void }).resetAndDestroy();
  expect(await reset).toMatchObject({ code: "ECONNRESET" });
});

test("what was written together is shown and leaves together", async () => {
  const { io, peer, lines } = await tapped();
  io.cork();
  io.write("one");
  io.write("two");
  io.uncork();
  const [bytes] = await once(peer, "data");
  expect(String(bytes)).toBe("onetwo");
  expect(lines).toEqual(["x     → onetwo"]);
});

test("what others write does not reach the terminal as control characters", () => {
  const event = { type: "message", from: "e\u001bve", text: "\u001b[2J\u202eabc\r\n" } as const;
  expect(worded(event, PLAIN)).toBe("e�ve: �[2J�abc��");
});
