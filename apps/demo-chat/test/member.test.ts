import { EventEmitter } from "node:events";
import { ManualClock } from "@upgrade/core/io";
import { expect, test } from "vitest";
import { Allowance } from "../src/allowance.ts";
import { Member } from "../src/member.ts";
import { Room } from "../src/room.ts";

/** The part of a WebSocket that a member uses. */
class FakeSocket extends EventEmitter {
  readonly OPEN = 1;
  readyState: 0 | 1 | 2 | 3 = 1;
  bufferedAmount = 0;
  isTerminated = false;
  readonly sent: unknown[] = [];

  sendText(json: string): void {
    this.sent.push(JSON.parse(json));
  }

  terminate(): void {
    this.isTerminated = true;
  }

  close(): void {
    this.readyState = 2;
  }
}

function memberOf(room: Room, name: string): Member {
  return new Member(room, name, new Allowance(new ManualClock()), () => {});
}

test("events between the welcome and the switch are sent after it, in order", () => {
  const room = new Room();
  const alice = memberOf(room, "alice");
  expect(alice.welcome).toEqual({ type: "welcome", you: "alice", people: [] });
  const bob = room.join("bob", () => {});
  room.say(bob, "hello?");
  const socket = new FakeSocket();
  alice.attach(socket);
  room.leave(bob);
  expect(socket.sent).toEqual([
    { type: "joined", name: "bob" },
    { type: "message", from: "bob", text: "hello?" },
    { type: "left", name: "bob" },
  ]);
});

test("a member that leaves before it is attached frees its place", () => {
  const room = new Room();
  const alice = memberOf(room, "alice");
  expect(room.names).toEqual(["alice"]);
  alice.leave();
  alice.leave();
  expect(room.names).toEqual([]);
});

test("a closing socket gets no more events", () => {
  const room = new Room();
  const alice = memberOf(room, "alice");
  const socket = new FakeSocket();
  alice.attach(socket);
  socket.readyState = 2;
  room.join("bob", () => {});
  expect(socket.sent).toEqual([]);
});

test("a member with more than 8 MiB unread is dropped, and the others stay", () => {
  const room = new Room();
  const slow = memberOf(room, "slow");
  const quick = memberOf(room, "quick");
  const sockets = [new FakeSocket(), new FakeSocket()] as const;
  slow.attach(sockets[0]);
  quick.attach(sockets[1]);
  sockets[0].bufferedAmount = 8 * 1024 * 1024;
  room.join("bob", () => {});
  expect(sockets[0].isTerminated).toBe(false);
  sockets[0].bufferedAmount++;
  room.join("carol", () => {});
  expect(sockets[0].isTerminated).toBe(true);
  expect(sockets[1].sent).toContainEqual({ type: "joined", name: "carol" });
});
