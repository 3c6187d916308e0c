// End to end over TCP: our server, our clients, and a raw peer for what our clients would not send.

import { once } from "node:events";
import { ManualClock } from "@upgrade/core/io";
import { expect, test } from "vitest";
import { Sender } from "ws";
import { textFrame } from "../src/frames.ts";
import type { ChatEvent } from "../src/protocol.ts";
import { MAX_PEOPLE } from "../src/room.ts";
import type { ChatServer } from "../src/server.ts";
import { type ChatClient, JoinRefused, joinChat } from "../src/terminal-client.ts";
import { chat, RawPeer, webSocketRequest } from "./chat-fixture.ts";

async function join(server: ChatServer, name?: string): Promise<ChatClient> {
  return joinChat(new URL(server.url), { name });
}

/** Joins and skips the welcome. */
async function inRoom(server: ChatServer, name: string): Promise<ChatClient> {
  const client = await join(server, name);
  expect(await client.next()).toMatchObject({ type: "welcome", you: name });
  return client;
}

const message = (from: string, text: string): ChatEvent => ({ type: "message", from, text });

function maskedText(text: string): Buffer {
  const options = { fin: true, opcode: 1, mask: true, readOnly: true, rsv1: false };
  return Buffer.concat(Sender.frame(Buffer.from(text), options));
}

test("two people join, talk and leave", async () => {
  const server = await chat();
  const alice = await inRoom(server, "alice");
  const bob = await join(server, "bob");
  expect(await bob.next()).toEqual({ type: "welcome", you: "bob", people: ["alice"] });
  expect(await alice.next()).toEqual({ type: "joined", name: "bob" });
  alice.say("hello");
  expect(await bob.next()).toEqual(message("alice", "hello"));
  expect(await alice.next()).toEqual(message("alice", "hello"));
  expect(await bob.leave()).toEqual({ code: 1000, reason: "" });
  expect(await alice.next()).toEqual({ type: "left", name: "bob" });
  expect(server.room.names).toEqual(["alice"]);
});

test("the welcome is written together with the 101, and arrives in readBuf", async () => {
  const client = await join(await chat(), "alice");
  const welcome = textFrame('{"type":"welcome","you":"alice","people":[]}');
  expect(Buffer.from(client.readBuf)).toEqual(welcome);
});

test("both ends agree on the subprotocol and on compression", async () => {
  const { agreement } = await join(await chat(), "alice");
  expect(agreement.protocol).toBe("chat.v1");
  expect(agreement.deflate).toMatchObject({
    serverNoContextTakeover: true,
    clientNoContextTakeover: true,
  });
});

test("a client without a name must say hello before it can talk", async () => {
  const server = await chat();
  const alice = await inRoom(server, "alice");
  const client = await join(server);
  expect(await client.next()).toEqual({ type: "welcome", you: null, people: ["alice"] });
  client.say("too early");
  expect(await client.next()).toEqual({ type: "error", reason: "say hello first" });
  client.hello("\u0007");
  expect(await client.next()).toEqual({ type: "error", reason: "that is not a name" });
  client.hello("Alice");
  expect(await client.next()).toEqual({ type: "welcome", you: "Alice-2", people: ["alice"] });
  client.hello("other");
  expect(await client.next()).toEqual({ type: "error", reason: "you are Alice-2 already" });
  client.say("now");
  expect(await alice.next()).toEqual({ type: "joined", name: "Alice-2" });
  expect(await alice.next()).toEqual(message("Alice-2", "now"));
});

test("a message of 1 MiB arrives, compressed or not; one byte more closes with 1009", async () => {
  const server = await chat();
  const alice = await inRoom(server, "alice");
  const plain = await joinChat(new URL(server.url), { name: "bob", deflate: false });
  expect(plain.agreement.extensions).toEqual([]);
  await plain.next();
  await alice.next();
  const envelope = JSON.stringify({ type: "message", text: "" }).length;
  const longest = `éé${"x".repeat(1024 * 1024 - envelope - 4)}`;
  for (const client of [alice, plain]) {
    client.say(longest);
    const from = client === alice ? "alice" : "bob";
    expect(await alice.next()).toEqual(message(from, longest));
    expect(await plain.next()).toEqual(message(from, longest));
  }
  plain.say(`${longest}x`);
  expect(await plain.ended).toMatchObject({ code: 1009 });
  expect(await alice.next()).toEqual({ type: "left", name: "bob" });
});

test("a message sent right after the request, before the 101, is not lost", async () => {
  const server = await chat();
  const alice = await inRoom(server, "alice");
  const hasty = await RawPeer.connect(server.port);
  const frame = maskedText('{"type":"message","text":"me first"}');
  hasty.socket.write(Buffer.concat([Buffer.from(webSocketRequest()), frame]));
  expect(await alice.next()).toEqual({ type: "joined", name: "raw" });
  expect(await alice.next()).toEqual(message("raw", "me first"));
});

test.each([
  ["a binary message with 1003", "{}", 2, true, 1003],
  ["an unmasked frame with 1002", "{}", 1, false, 1002],
  ["a frame with an unknown opcode with 1002", "{}", 5, true, 1002],
  ["text that is no JSON with 4400", "hello", 1, true, 4400],
  ["an unknown type with 4400", '{"type":"later"}', 1, true, 4400],
])("closes %s, and nobody else notices more", async (_, text, opcode, mask, code) => {
  const server = await chat();
  const alice = await inRoom(server, "alice");
  const peer = await RawPeer.connect(server.port);
  peer.socket.write(webSocketRequest());
  await peer.until((received) => received.includes("welcome"));
  const options = { fin: true, opcode, mask, readOnly: true, rsv1: false };
  peer.received = Buffer.alloc(0);
  peer.socket.write(Buffer.concat(Sender.frame(Buffer.from(text), options)));
  await peer.until(() => peer.received.length >= 4);
  expect(peer.received[0]).toBe(0x88);
  expect(peer.received.readUInt16BE(2)).toBe(code);
  peer.socket.destroy();
  expect(await alice.next()).toEqual({ type: "joined", name: "raw" });
  expect(await alice.next()).toEqual({ type: "left", name: "raw" });
  alice.say("as before");
  expect(await alice.next()).toEqual(message("alice", "as before"));
});

test("a flood is closed with 1008 after 20 messages, and time allows 5 more a second", async () => {
  const clock = new ManualClock();
  const server = await chat({ clock });
  const alice = await inRoom(server, "alice");
  const flood = await joinChat(new URL(server.url), { name: "flood", deflate: false });
  expect(await alice.next()).toEqual({ type: "joined", name: "flood" });
  const sayAndSee = async (count: number): Promise<void> => {
    for (let n = 0; n < count; n++) flood.say(`${n}`);
    for (let n = 0; n < count; n++) expect(await alice.next()).toEqual(message("flood", `${n}`));
  };
  await sayAndSee(20);
  clock.advance(1000);
  await sayAndSee(5);
  flood.say("one too many");
  expect((await flood.ended).code).toBe(1008);
  expect(await alice.next()).toEqual({ type: "left", name: "flood" });
});

test("rooms have people and messages of their own", async () => {
  const server = await chat();
  const alice = await inRoom(server, "alice");
  const garden = new URL("/r/garden", server.url);
  const bob = await joinChat(garden, { name: "bob" });
  expect(await bob.next()).toEqual({ type: "welcome", you: "bob", people: [] });
  const carol = await joinChat(garden, { name: "carol" });
  expect(await carol.next()).toEqual({ type: "welcome", you: "carol", people: ["bob"] });
  bob.say("green");
  expect(await carol.next()).toEqual(message("bob", "green"));
  alice.say("alone");
  expect(await alice.next()).toEqual(message("alice", "alone"));
});

test("a restart closes with 1012", async () => {
  const server = await chat();
  const alice = await inRoom(server, "alice");
  await server.close("restarting");
  expect(await alice.ended).toEqual({ code: 1012, reason: "the server is restarting" });
});

test("a reset counts as leaving", async () => {
  const server = await chat();
  const alice = await inRoom(server, "alice");
  const peer = await RawPeer.connect(server.port);
  peer.socket.write(webSocketRequest());
  await peer.until((text) => text.includes("welcome"));
  peer.socket.resetAndDestroy();
  expect(await alice.next()).toEqual({ type: "joined", name: "raw" });
  expect(await alice.next()).toEqual({ type: "left", name: "raw" });
});

test("a client that does not answer a ping before the next one is dropped", async () => {
  const clock = new ManualClock();
  const server = await chat({ clock, heartbeatMs: 1000 });
  const alice = await inRoom(server, "alice");
  const dead = await RawPeer.connect(server.port);
  dead.socket.write(webSocketRequest());
  expect(await alice.next()).toEqual({ type: "joined", name: "raw" });
  await dead.until((text) => text.includes("welcome"));

  clock.advance(1000);
  // After the first echo alice has the ping; after the second the server has her pong.
  for (const text of ["ping", "pong"]) {
    alice.say(text);
    expect(await alice.next()).toEqual(message("alice", text));
  }
  await dead.until((text) => text.includes("\x89\x00"));
  expect(server.room.names).toEqual(["alice", "raw"]);

  const closed = once(dead.socket, "close");
  clock.advance(1000);
  expect(await alice.next()).toEqual({ type: "left", name: "raw" });
  await closed;
});

test("closing the server sends 1001 to every client and does not wait for idle connections", async () => {
  const clock = new ManualClock();
  const server = await chat({ clock });
  const alice = await inRoom(server, "alice");
  const idle = await RawPeer.connect(server.port);
  idle.socket.write("HEAD / HTTP/1.1\r\nHost: chat.test\r\n\r\n");
  await idle.until((text) => text.endsWith("\r\n\r\n"));
  await server.close();
  expect(await alice.ended).toEqual({ code: 1001, reason: "the server is going away" });
  expect(idle.socket.readableEnded).toBe(true);
  expect(clock.pending).toBe(0);
  await expect(join(server, "late")).rejects.toThrow();
});

test("a full room is a 503, until someone leaves", async () => {
  const server = await chat();
  const people = Array.from({ length: MAX_PEOPLE - 1 }, (_, n) =>
    server.room.join(`person ${n}`, () => {}),
  );
  await inRoom(server, "the last one");
  const late = join(server, "late");
  await expect(late).rejects.toThrow(JoinRefused);
  await expect(late).rejects.toMatchObject({ status: 503 });
  server.room.leave(people[0]!);
  await inRoom(server, "late");
});
