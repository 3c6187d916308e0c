// What the panel of a page is told: the trace of its own connections, over /wire.

import { once } from "node:events";
import { expect, test } from "vitest";
import WebSocket from "ws";
import type { ChatServer } from "../src/server.ts";
import { FIELDS, ruleUrl, STATUSES } from "../src/wire/meanings.ts";
import type { Report, WireMessage } from "../src/wire/messages.ts";
import { PROBES, type ProbeName } from "../src/wire/probe-table.ts";
import { afterTest, chat } from "./chat-fixture.ts";

const ID = "a".repeat(32);

/** A page's feed, with what it was told. */
class Feed {
  readonly socket: WebSocket;
  readonly told: WireMessage[] = [];
  #wake = (): void => {};

  constructor(server: ChatServer, id = ID) {
    this.socket = new WebSocket(`${server.url.replace("http", "ws")}wire?of=${id}`, "wire.v1");
    afterTest(() => this.socket.terminate());
    this.socket.on("message", (message) => {
      this.told.push(JSON.parse(String(message)) as WireMessage);
      this.#wake();
    });
  }

  get events() {
    return this.told.filter((one): one is Report => "event" in one).map(({ event }) => event);
  }

  async until(condition: (feed: Feed) => boolean): Promise<void> {
    while (!condition(this)) {
      await new Promise<void>((wake) => {
        this.#wake = wake;
      });
    }
  }
}

async function watched(): Promise<{ server: ChatServer; feed: Feed }> {
  const server = await chat();
  const feed = new Feed(server);
  await once(feed.socket, "open");
  return { server, feed };
}

function client(server: ChatServer, query: string, protocol = "chat.v1"): WebSocket {
  const url = `${server.url.replace("http", "ws")}chat?name=wendy&${query}`;
  const socket = new WebSocket(url, protocol, { headers: { Cookie: "a=secret" } });
  afterTest(() => socket.terminate());
  socket.on("error", () => {});
  return socket;
}

test("a page sees the trace of its own connection, then its frames, then its end", async () => {
  const { server, feed } = await watched();
  const socket = client(server, `wire=${ID}`);
  await once(socket, "message");
  socket.send('{"type":"message","text":"hi"}');
  await once(socket, "message");
  socket.close(1000, "bye");
  await feed.until(({ events }) => events.at(-1)?.type === "io-closed");
  const happened = feed.events.map((event) =>
    event.type === "frame"
      ? `${event.from}: ${event.opcode} ${event.text}`
      : event.type === "moved"
        ? `${event.from} to ${event.to}`
        : event.type,
  );
  expect(happened).toEqual([
    "request",
    "end-of-message",
    "response",
    "switched",
    "http to switching",
    "switching to kept-open",
    "kept-open to released",
    "closed",
    "taken",
    'server: text {"type":"welcome","you":"wendy","people":[]}',
    'client: text {"type":"message","text":"hi"}',
    'server: text {"type":"message","from":"wendy","text":"hi"}',
    "client: close 1000 bye",
    "server: close 1000 bye",
    "io-closed",
  ]);
});

test("the values of cookies are hidden", async () => {
  const { server, feed } = await watched();
  await once(client(server, `wire=${ID}`), "open");
  await feed.until(({ events }) => events.length > 0);
  const [request] = feed.events;
  expect(request).toMatchObject({ type: "request" });
  expect(JSON.stringify(request)).toContain('["Cookie","(hidden)"]');
  expect(JSON.stringify(feed.told)).not.toContain("secret");
});

test("a page does not see the connections of others", async () => {
  const { server, feed } = await watched();
  for (const query of ["", "wire=", `wire=${"b".repeat(32)}`]) {
    await once(client(server, query), "open");
  }
  const mine = client(server, `wire=${ID}`);
  await once(mine, "message");
  await feed.until(({ events }) => events.some(({ type }) => type === "frame"));
  const requests = feed.events.filter(({ type }) => type === "request");
  expect(requests).toHaveLength(1);
});

test("a refusal of the page's own WebSocket comes with its status and its body", async () => {
  const { server, feed } = await watched();
  client(server, `wire=${ID}`, "chat.v9");
  await feed.until(({ events }) => events.some(({ type }) => type === "refused"));
  expect(feed.events).toContainEqual(
    expect.objectContaining({ type: "body", text: expect.stringContaining("subprotocol") }),
  );
  expect(feed.events).toContainEqual(expect.objectContaining({ type: "refused", status: 400 }));
  const last = feed.events.at(-1);
  expect(last).toMatchObject({ states: { server: expect.not.stringContaining("switched") } });
});

test.each<[ProbeName, number]>([
  ["no-connection", 426],
  ["wrong-version", 426],
  ["wrong-origin", 403],
  ["wrong-key", 400],
  ["wrong-path", 404],
])("the server's own client asks for the refusal %s: %i", async (ask, status) => {
  const { feed } = await watched();
  feed.socket.send(JSON.stringify({ ask }));
  await feed.until(({ told }) => told.some((one) => "asked" in one));
  expect(feed.told).toContainEqual({ asked: ask, status });
  expect(feed.events).toContainEqual(expect.objectContaining({ type: "response", status }));
  expect(feed.events.some(({ type }) => type === "switched")).toBe(false);
});

test.each([
  ["no JSON", "hello", 4400],
  ["an unknown refusal", '{"ask":"toString"}', 4400],
  ["bytes", Buffer.from("{}"), 1003],
  ["too much", "x".repeat(1025), 1009],
])("a feed that sends %s is closed", async (_, message, code) => {
  const { feed } = await watched();
  feed.socket.send(message);
  expect((await once(feed.socket, "close"))[0]).toBe(code);
});

test("a second feed of the same page is refused, and allowed when the first is gone", async () => {
  const { server, feed } = await watched();
  const [error] = await once(new Feed(server).socket, "error");
  expect(error).toMatchObject({ message: "Unexpected server response: 409" });
  feed.socket.close();
  await once(feed.socket, "close");
  await once(new Feed(server).socket, "open");
});

test("every rule has an address", () => {
  const meanings = [
    ...Object.values(FIELDS).flatMap(({ request, response }) => [request, response]),
    ...Object.values(STATUSES),
  ];
  for (const meaning of meanings) {
    if (meaning?.rule === undefined) continue;
    expect(ruleUrl(meaning.rule)).toMatch(
      /^https:\/\/www\.rfc-editor\.org\/rfc\/rfc\d+#section-[\d.]*\d$/,
    );
  }
  expect(Object.keys(PROBES)).toHaveLength(5);
});
