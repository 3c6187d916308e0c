// The page's connection without a browser: what it does when the line goes, and what becomes of messages.

import { ManualClock } from "@upgrade/core/io";
import { expect, test } from "vitest";
import {
  ANSWER_MS,
  ChatConnection,
  OPEN_MS,
  QUIET_MS,
  type Status,
} from "../src/page/chat-connection.ts";
import { pieces } from "../src/page/links.ts";

class FakeSocket {
  readonly sent: unknown[] = [];
  isClosed = false;
  readonly #listeners = new Map<string, (event: never) => void>();

  addEventListener(type: string, listener: (event: never) => void): void {
    this.#listeners.set(type, listener);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text));
  }

  close(): void {
    this.isClosed = true;
  }

  receive(event: object): void {
    this.#listeners.get("message")?.({ data: JSON.stringify(event) } as never);
  }

  end(code: number, reason = ""): void {
    this.#listeners.get("close")?.({ code, reason } as never);
  }
}

const WELCOME = { type: "welcome", you: "alice", people: [] };

async function joined() {
  const clock = new ManualClock();
  const sockets: FakeSocket[] = [];
  const statuses: Status[] = [];
  const events: unknown[] = [];
  let pending: readonly string[] = [];
  const connection = new ChatConnection({
    async connect() {
      const socket = new FakeSocket();
      sockets.push(socket);
      return socket;
    },
    clock,
    random: () => 1,
    onStatus: (status) => statuses.push(status),
    onEvent: (event) => events.push(event),
    onPending: (texts) => {
      pending = [...texts];
    },
  });
  connection.join("alice");
  await settled();
  const last = () => sockets.at(-1)!;
  return { clock, connection, sockets, statuses, events, last, pending: () => pending };
}

/** Lets the promise of `connect` be noticed. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await Promise.resolve();
}

test("a dead line is noticed within seconds, and replaced", async () => {
  const { clock, sockets, statuses, last } = await joined();
  last().receive(WELCOME);
  clock.advance(QUIET_MS);
  expect(last().sent).toEqual([{ type: "ping" }]);
  expect(statuses.at(-1)).toEqual({ is: "open" });
  clock.advance(ANSWER_MS);
  expect(statuses.at(-1)).toEqual({ is: "waiting", why: "the line is dead", at: 6500 });
  expect(sockets[0]?.isClosed).toBe(true);
  clock.advance(500);
  await settled();
  expect(sockets).toHaveLength(2);
  // What still comes from the first one is not for us.
  sockets[0]?.end(1006);
  expect(statuses.at(-1)).toEqual({ is: "connecting" });
});

test("a line that answers is kept", async () => {
  const { clock, statuses, sockets, last } = await joined();
  last().receive(WELCOME);
  for (let n = 0; n < 5; n++) {
    clock.advance(QUIET_MS);
    last().receive({ type: "pong" });
  }
  expect(sockets).toHaveLength(1);
  expect(statuses.at(-1)).toEqual({ is: "open" });
});

test("a handshake without an answer is given up", async () => {
  const { clock, statuses } = await joined();
  clock.advance(OPEN_MS);
  expect(statuses.at(-1)).toMatchObject({ is: "waiting", why: "the server does not answer" });
});

test("waits grow from half a second to 15 seconds, and begin again after a welcome", async () => {
  const { clock, statuses, last } = await joined();
  const waits: number[] = [];
  for (let n = 0; n < 7; n++) {
    last().end(1006);
    const status = statuses.at(-1);
    if (status?.is !== "waiting") throw new Error("not waiting");
    waits.push(status.at - clock.now());
    clock.advance(status.at - clock.now());
    await settled();
  }
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000]);
  last().receive(WELCOME);
  last().end(1012, "the server is restarting");
  expect(statuses.at(-1)).toMatchObject({ why: "the server is restarting", at: clock.now() + 500 });
});

test("a network that is back ends the wait", async () => {
  const { connection, sockets, last } = await joined();
  last().end(1006);
  connection.retryNow();
  await settled();
  expect(sockets).toHaveLength(2);
});

test("messages are kept until they come back, and sent again in order", async () => {
  const { clock, connection, last, pending } = await joined();
  connection.say("one");
  expect(last().sent).toEqual([]);
  last().receive(WELCOME);
  connection.say("two");
  const said = (text: string) => ({ type: "message", text });
  expect(last().sent).toEqual([said("one"), said("two")]);
  last().receive({ type: "message", from: "alice", text: "one" });
  expect(pending()).toEqual(["two"]);
  last().end(1006);
  connection.say("three");
  clock.advance(500);
  await settled();
  last().receive(WELCOME);
  expect(last().sent).toEqual([said("two"), said("three")]);
});

test.each([
  [1008, "too many messages"],
  [4400, "that is no message of this protocol"],
])("after %i the page does not come back by itself", async (code, reason) => {
  const { clock, statuses, last } = await joined();
  last().receive(WELCOME);
  last().end(code, reason);
  expect(statuses.at(-1)).toEqual({ is: "closed", why: reason });
  expect(clock.pending).toBe(0);
});

test("a refusal is told in the words of the server, once known from the trace", async () => {
  const { clock, connection, statuses, last } = await joined();
  connection.refused("the room is full", false);
  last().end(1006);
  expect(statuses.at(-1)).toMatchObject({ is: "waiting", why: "the room is full" });
  clock.advance(500);
  await settled();
  connection.refused("that is not a name", true);
  last().end(1006);
  expect(statuses.at(-1)).toEqual({ is: "closed", why: "that is not a name" });
});

test("a refusal that is known only after the attempt has ended replaces the guess", async () => {
  const { clock, connection, statuses, sockets, last } = await joined();
  last().end(1006);
  expect(statuses.at(-1)).toMatchObject({ is: "waiting", why: "the server cannot be reached" });
  clock.advance(100);
  connection.refused("the room is full", false);
  expect(statuses.at(-1)).toEqual({ is: "waiting", why: "the room is full", at: 500 });
  connection.refused("that is not a name", true);
  expect(statuses.at(-1)).toEqual({ is: "closed", why: "that is not a name" });
  expect(clock.pending).toBe(0);
  connection.retryNow();
  await settled();
  expect(sockets).toHaveLength(1);
});

test.each([
  ["see https://a.test/x.", ["see ", "*https://a.test/x", "."]],
  ["(http://a.test/?q=1)", ["(", "*http://a.test/?q=1", ")"]],
  ["javascript:alert(1) http:// x", ["javascript:alert(1) http:// x"]],
  ["https://a.test", ["*https://a.test"]],
])("finds the addresses in %j", (text, expected) => {
  expect(pieces(text).map((piece) => (piece.url === undefined ? "" : "*") + piece.text)).toEqual(
    expected,
  );
});
