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

/** A tapped client socket and its peer. */
async function tapped(): Promise<{ io: Duplex; socket: Socket; peer: Socket; lines: string[] }> {
  let accept = (_: Socket): void => {};
  const accepted = new Promise<Socket>((settle) => {
    accept = settle;
  });
  const url = await rawServer((socket) => accept(socket));
  const { lines, trace } = traced("x");
  const socket = connect(Number(url.port), "127.0.0.1");
  const io = trace.tap(socket);
  afterTest(() => io.destroy());
  await once(socket, "connect");
  return { io, socket, peer: await accepted, lines };
}

test("bytes are shown as lines of printable ASCII with their line ends", () => {
  const bytes = Buffer.from('GET / HTTP/1.1\r\nA: \\ \t\xe9\r\n\r\n\x81\x7e\x00\n"', "latin1");
  expect(escapedLines(bytes)).toEqual([
    "GET / HTTP/1.1\\r\\n",
    "A: \\\\ \\t\\xe9\\r\\n",
    "\\r\\n",
    '\\x81~\\x00\\n"',
  ]);
});

test("a client's trace shows the request, the response, the switch, and readBuf", async () => {
  const server = await chat();
  const { lines, trace } = traced("alice");
  const client = await joinChat(new URL(server.url), { name: "alice", trace });
  const shown = lines.map((line) => line.replace(/((?:Key|Accept|Date): ).*/, "$1…").trim());
  // The order of the header lines is up to the toolkit.
  expect(shown.splice(1, 7).sort()).toEqual([
    "Connection: Upgrade\\r\\n",
    `Host: 127.0.0.1:${server.port}\\r\\n`,
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\\r\\n",
    "Sec-WebSocket-Key: …",
    "Sec-WebSocket-Protocol: chat.v1\\r\\n",
    "Sec-WebSocket-Version: 13\\r\\n",
    "Upgrade: websocket\\r\\n",
  ]);
  expect(shown.splice(3, 6).sort()).toEqual([
    "Connection: Upgrade\\r\\n",
    "Date: …",
    "Sec-WebSocket-Accept: …",
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\\r\\n",
    "Sec-WebSocket-Protocol: chat.v1\\r\\n",
    "Upgrade: websocket\\r\\n",
  ]);
  expect(shown).toEqual([
    "alice → GET /chat?name=alice HTTP/1.1\\r\\n",
    "\\r\\n",
    "alice ← HTTP/1.1 101 Switching Protocols\\r\\n",
    "\\r\\n",
    '\\x81,{"type":"welcome","you":"alice","people":[]}',
    "alice ⇄ switched to websocket; readBuf holds 46 bytes",
    '\\x81,{"type":"welcome","you":"alice","people":[]}',
  ]);
  expect(lines[1]).toMatch(/^ {8}\S/);
  expect(await client.next()).toMatchObject({ type: "welcome" });
  await client.leave();
});

test("a server's trace shows the other end, and bytes sent right after the request", async () => {
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

test("only the beginning of a page is shown", async () => {
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

test("a tapped socket keeps the bytes that were unread when it closed", async () => {
  const { io, socket, peer } = await tapped();
  peer.end("last words");
  await once(io, "readable");
  io.end();
  await once(socket, "close");
  let text = "";
  for await (const bytes of io) text += bytes;
  expect(text).toBe("last words");
});

test("a tapped socket can answer a peer that has ended its side", async () => {
  const { io, peer } = await tapped();
  let answer = "";
  peer.on("data", (bytes) => {
    answer += bytes;
  });
  peer.end("question");
  io.resume();
  await once(io, "end");
  // Give the socket a chance to end our side as well.
  await new Promise(setImmediate);
  io.end("answer");
  await once(peer, "end");
  expect(answer).toBe("answer");
});

test("a tapped socket stops reading when its reader stops", async () => {
  const { io, socket, peer } = await tapped();
  const size = 8 * 1024 * 1024;
  const accepted = new Promise((settle) => peer.write(Buffer.alloc(size), settle));
  // It fills its buffer, then waits for a reader.
  io.read(0);
  await Promise.race([once(socket, "pause"), accepted]);
  expect(socket.isPaused()).toBe(true);
  let length = 0;
  io.on("data", (bytes: Buffer) => {
    length += bytes.length;
    if (length === size) peer.end();
  });
  await accepted;
  await once(io, "end");
  expect(length).toBe(size);
});

test("a tapped socket reports a reset by the peer, and resets the peer for its owner", async () => {
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

test("chunks written together are shown and sent together", async () => {
  const { io, peer, lines } = await tapped();
  io.cork();
  io.write("one");
  io.write("two");
  io.uncork();
  const [bytes] = await once(peer, "data");
  expect(String(bytes)).toBe("onetwo");
  expect(lines).toEqual(["x     → onetwo"]);
});

test("control characters from others do not reach the terminal", () => {
  const event = { type: "message", from: "e\u001bve", text: "\u001b[2J\u202eabc\r\n" } as const;
  expect(worded(event, PLAIN)).toBe("e�ve: �[2J�abc��");
});
