import { once } from "node:events";
import picocolors from "picocolors";
import { expect, test } from "vitest";
import { joinChat } from "../src/terminal-client.ts";
import { escapedLines, TracePrinter } from "../src/trace.ts";
import { worded } from "../src/wording.ts";
import { chat, RawPeer, webSocketRequest } from "./chat-fixture.ts";

const PLAIN = picocolors.createColors(false);

/** A printer that explains nothing, or only what is not in `explained`. */
function traced(label: string, explained?: Set<string>) {
  const lines: string[] = [];
  const known = explained ?? ({ has: () => true } as unknown as Set<string>);
  const print = (line: string): unknown => lines.push(line);
  return { lines, printer: new TracePrinter(label, { print, explained: known, colors: PLAIN }) };
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

test("a client's trace shows both heads, the states, the switch, and readBuf", async () => {
  const server = await chat();
  const { lines, printer } = traced("alice");
  const client = await joinChat(new URL(server.url), { name: "alice", trace: printer });
  const shown = lines.map((line) => line.replace(/((?:Key|Accept|Date): ).*/, "$1…").trim());
  // The order of the header lines is up to the toolkit.
  expect(shown.splice(1, 7).sort()).toEqual([
    "Connection: Upgrade",
    `Host: 127.0.0.1:${server.port}`,
    "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits",
    "Sec-WebSocket-Key: …",
    "Sec-WebSocket-Protocol: chat.v1",
    "Sec-WebSocket-Version: 13",
    "Upgrade: websocket",
  ]);
  expect(shown.splice(3, 6).sort()).toEqual([
    "Connection: Upgrade",
    "Date: …",
    "Sec-WebSocket-Accept: …",
    "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover",
    "Sec-WebSocket-Protocol: chat.v1",
    "Upgrade: websocket",
  ]);
  expect(shown).toEqual([
    "alice → GET /chat?name=alice HTTP/1.1",
    "alice · client might-switch-protocol, server send-response",
    "alice ← HTTP/1.1 101 Switching Protocols",
    "alice · client switched-protocol, server switched-protocol",
    "alice ⇄ both ends agreed: websocket comes next",
    "alice · the connection: http → switching (switched)",
    "alice · the connection: switching → kept-open (quiet)",
    "alice · the connection: kept-open → released (taken)",
    "alice · HTTP is over: switched",
    "alice ⇄ the socket changes hands; readBuf holds 46 bytes",
    '\\x81,{"type":"welcome","you":"alice","people":[]}',
  ]);
  expect(lines[1]).toMatch(/^ {8}\S/);
  expect(await client.next()).toMatchObject({ type: "welcome" });
  await client.leave();
});

test("each header is explained once, with its rule, however often it comes", async () => {
  const server = await chat();
  const explained = new Set<string>();
  const first = traced("one", explained);
  await joinChat(new URL(server.url), { name: "one", trace: first.printer });
  expect(first.lines.join(" ").replace(/\s+/g, " ")).toContain(
    "Upgrade: websocket The proposal: the client would like to speak this protocol on the same connection. The server is free to go on in HTTP. (RFC 9110 §7.8)",
  );
  for (const line of first.lines) expect(line.length).toBeLessThan(120);
  const second = traced("two", explained);
  await joinChat(new URL(server.url), { name: "two", trace: second.printer });
  expect(second.lines.join("\n")).not.toContain("RFC");
});

test("a refusal is shown as the response it is", async () => {
  const server = await chat();
  const { lines, printer } = traced("x");
  const url = new URL(server.url);
  await expect(joinChat(url, { name: "x".repeat(25), trace: printer })).rejects.toThrow("400");
  expect(lines).toContain("x     ← HTTP/1.1 400 Bad Request");
  expect(lines).toContain("x     ⇄ refused with 400: this stays HTTP");
});

test("a server's trace shows the other end, and bytes sent right after the request", async () => {
  const { lines, printer } = traced("s");
  const server = await chat({ trace: ({ role }) => printer.listener(role) });
  const peer = await RawPeer.connect(server.port);
  peer.socket.write(`${webSocketRequest({ Cookie: "secret=1" })}\x88`, "latin1");
  await peer.until((text) => text.includes("welcome"));
  expect(lines[0]).toBe("s     ← GET /chat?name=raw HTTP/1.1");
  expect(lines.join("\n")).toContain("Cookie: (hidden)");
  expect(lines.join("\n")).not.toContain("secret");
  expect(lines).toContain("s     → HTTP/1.1 101 Switching Protocols");
  expect(lines).toContain("s     ⇄ the socket changes hands; readBuf holds 1 byte");
});

test("a long line is cut, and control characters of a peer do not reach the terminal", async () => {
  const { lines, printer } = traced("s");
  const server = await chat({ trace: ({ role }) => printer.listener(role) });
  const peer = await RawPeer.connect(server.port);
  const ended = once(peer.socket, "end");
  peer.socket.write(`GET /?${"q".repeat(300)} HTTP/1.1\r\nHost: a\r\nA: \x9bm\r\n`, "latin1");
  peer.socket.write("Connection: close\r\n\r\n");
  await ended;
  expect(lines[0]).toMatch(/q… \(315 characters\)$/);
  expect(lines).toContain("        A: �m");
});

test("control characters from others do not reach the terminal", () => {
  const event = { type: "message", from: "e\u001bve", text: "\u001b[2J\u202eabc\r\n" } as const;
  expect(worded(event, PLAIN)).toBe("e�ve: �[2J�abc��");
});
