import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";
// Tests that `npm run demo -- --once` passes, and that it fails when it should.

import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { createServer } from "node:net";
import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { converse } from "../src/conversation.ts";
import type { ChatEvent } from "../src/protocol.ts";
import { roundTrip } from "../src/round-trip.ts";
import { serve } from "../src/serve.ts";
import { afterTest, chat, NO_SCRIPT, rawServer, wsServer } from "./chat-fixture.ts";

const ONCE = {
  do: "serve",
  host: "127.0.0.1",
  port: 0,
  once: true,
  trace: false,
  log: undefined,
} as const;

test("succeeds, and reports every event in order", async () => {
  const server = await chat();
  const events: string[] = [];
  const difference = await roundTrip(new URL(server.url), {
    onEvent: (listener, event) => events.push(`${listener}: ${event.type}`),
  });
  expect(difference).toBeUndefined();
  expect(events).toEqual([
    "alice: welcome",
    "bob: welcome",
    "alice: joined",
    "alice: message",
    "bob: message",
    "alice: message",
    "bob: message",
    "alice: left",
  ]);
});

test("another person in the room is a difference", async () => {
  const server = await chat();
  server.room.join("eve", () => {});
  const difference = await roundTrip(new URL(server.url));
  expect(difference).toMatch(/^what alice received: expected .*"people\\":\[\].*eve/);
});

test("a welcome that did not arrive with the 101 is a difference in readBuf", async () => {
  const { server, url } = await wsServer({ perMessageDeflate: true });
  server.on("connection", (peer) => {
    // Only a client that has already switched answers a ping.
    peer.ping();
    peer.once("pong", () => peer.send('{"type":"welcome","you":"alice","people":[]}'));
  });
  expect(await roundTrip(url)).toMatch(/^alice's readBuf: expected .*, got "(?!.*welcome)/);
});

test("a server that does not compress is a difference", async () => {
  const { url } = await wsServer({ perMessageDeflate: false });
  expect(await roundTrip(url)).toBe(
    `alice's agreement: expected "chat.v1 permessage-deflate", got "chat.v1 "`,
  );
});

test.each<[string, ChatEvent[], RegExp]>([
  [
    "in a different order",
    [
      { type: "message", from: "bob", text: "hello alice, nice to read you" },
      { type: "message", from: "alice", text: "hello bob" },
    ],
    /^what alice received: expected .*hello bob.*, got .*nice to read you/,
  ],
  [
    "with different text",
    [{ type: "message", from: "alice", text: "hello, bob" }],
    /^what alice received: expected .*hello bob.*, got .*hello, bob/,
  ],
])("messages %s are a difference", async (_, events, difference) => {
  const server = await chat();
  server.room.say = () => {
    for (const event of events) listener?.(event);
  };
  const { join } = server.room;
  let listener: ((event: ChatEvent) => void) | undefined;
  server.room.join = (name, send) => {
    listener ??= send;
    return join.call(server.room, name, send);
  };
  expect(await roundTrip(new URL(server.url))).toMatch(difference);
});

test("a wrong accept value is a difference", async () => {
  const head = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";
  const url = await rawServer((socket) => {
    socket.once("data", () => socket.write(`${head}Sec-WebSocket-Accept: wrong\r\n\r\n`));
  });
  expect(await roundTrip(url)).toMatch(
    /^AgreementFailed: .* Sec-WebSocket-Accept does not belong to .*: "wrong" is not .*=$/,
  );
});

test("a silent server is a difference after the timeout, naming what was expected next", async () => {
  const url = await rawServer(() => {});
  expect(await roundTrip(url, { timeoutMs: 1 })).toBe(
    "timed out after 1 ms waiting for the answer to alice's handshake",
  );
});

test("--once prints the conversation and exits with 0", async () => {
  const lines: string[] = [];
  expect(await serve(ONCE, (line) => lines.push(line), NO_SCRIPT)).toBe(0);
  const text = lines.join("\n");
  expect(text).toMatch(/Open .*http:\/\/127\.0\.0\.1:\d+\//);
  expect(text).toContain("hello alice, nice to read you");
  expect(text).not.toContain("→");
});

test("--once --trace shows what arrived in readBuf", async () => {
  const lines: string[] = [];
  expect(await serve({ ...ONCE, trace: true }, (line) => lines.push(line), NO_SCRIPT)).toBe(0);
  // Colored in a terminal, and if CI is set.
  const text = stripVTControlCharacters(lines.join("\n"));
  expect(text).toMatch(/alice.* → .*GET \/chat\?name=alice HTTP\/1\.1/);
  expect(text).toMatch(/bob.* ← .*HTTP\/1\.1 101 Switching Protocols/);
  expect(text).toMatch(/the socket changes hands; readBuf holds 46 bytes/);
});

test("--log writes one JSON object a line, without addresses", async () => {
  const folder = mkdtempSync(join(tmpdir(), "chat-"));
  afterTest(() => rmSync(folder, { recursive: true }));
  const log = join(folder, "chat.log");
  expect(await serve({ ...ONCE, log }, () => {}, NO_SCRIPT)).toBe(0);
  const text = readFileSync(log, "utf8");
  const entries = text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as object);
  expect(entries[0]).toMatchObject({ event: "joined", name: "alice", room: "lobby", people: 1 });
  expect(entries[1]).toMatchObject({ event: "joined", name: "bob", room: "lobby", people: 2 });
  expect(entries).toContainEqual(expect.objectContaining({ event: "closed", code: 1000 }));
  expect(entries).toContainEqual(
    expect.objectContaining({ event: "left", name: "bob", people: 1 }),
  );
  expect(text).not.toContain("/chat");
});

test("an explicit port that is in use is an error", async () => {
  const busy = createServer().listen(0, "127.0.0.1");
  afterTest(() => busy.close());
  await once(busy, "listening");
  const { port } = busy.address() as AddressInfo;
  await expect(serve({ ...ONCE, port }, () => {}, NO_SCRIPT)).rejects.toThrow(
    `Port ${port} of 127.0.0.1 is in use`,
  );
});

test("a terminal sends typed lines, prints events, and leaves at the end of its input", async () => {
  const server = await chat();
  const input = new PassThrough();
  const lines: string[] = [];
  const print = (line: string): void => {
    lines.push(line);
    // Each line responds to the previous one, as a user would.
    if (line.includes("your name")) input.write("carol\n");
    if (line.includes("you are carol")) input.write("\nhello\n");
    if (line.includes("hello")) input.end();
  };
  const { signal } = new AbortController();
  const url = new URL(server.url);
  const end = await converse({ url, name: undefined, trace: undefined, input, signal, print });
  expect(end.code).toBe(1000);
  expect(lines.join("\n")).toMatch(
    /your name\?.*\n.*you are carol; nobody else is here.*\n.*carol.*: hello/,
  );
});

test("a signal makes a terminal leave the chat", async () => {
  const server = await chat();
  const stop = new AbortController();
  const input = new PassThrough();
  const { signal } = stop;
  const url = new URL(server.url);
  const print = (): void => stop.abort();
  const end = await converse({ url, name: "carol", trace: undefined, input, signal, print });
  expect(end.code).toBe(1000);
});
