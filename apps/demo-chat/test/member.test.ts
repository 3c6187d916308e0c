import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import type WebSocket from "ws";
import { Member } from "../src/member.ts";
import { Room } from "../src/room.ts";

/** As much of a WebSocket as a member uses. */
class Seat extends EventEmitter {
  readonly OPEN = 1;
  readyState = 1;
  bufferedAmount = 0;
  isTerminated = false;
  readonly sent: unknown[] = [];

  send(json: string): void {
    this.sent.push(JSON.parse(json));
  }

  terminate(): void {
    this.isTerminated = true;
  }

  get webSocket(): WebSocket {
    return this as unknown as WebSocket;
  }
}

test("what happens between the welcome and the switch is told behind it, in order", () => {
  const room = new Room();
  const alice = new Member(room, "alice", () => {});
  expect(alice.welcome).toEqual({ type: "welcome", you: "alice", people: [] });
  const bob = room.join("bob", () => {});
  room.say(bob, "hello?");
  const seat = new Seat();
  alice.sit(seat.webSocket);
  room.leave(bob);
  expect(seat.sent).toEqual([
    { type: "joined", name: "bob" },
    { type: "message", from: "bob", text: "hello?" },
    { type: "left", name: "bob" },
  ]);
});

test("who was promised a place and never came gives it back", () => {
  const room = new Room();
  const alice = new Member(room, "alice", () => {});
  expect(room.names).toEqual(["alice"]);
  alice.leave();
  alice.leave();
  expect(room.names).toEqual([]);
});

test("who is on the way out is told nothing more", () => {
  const room = new Room();
  const alice = new Member(room, "alice", () => {});
  const seat = new Seat();
  alice.sit(seat.webSocket);
  seat.readyState = 2;
  room.join("bob", () => {});
  expect(seat.sent).toEqual([]);
});

test("who has more than 8 MiB unread is dropped, and the others go on", () => {
  const room = new Room();
  const slow = new Member(room, "slow", () => {});
  const quick = new Member(room, "quick", () => {});
  const seats = [new Seat(), new Seat()] as const;
  slow.sit(seats[0].webSocket);
  quick.sit(seats[1].webSocket);
  seats[0].bufferedAmount = 8 * 1024 * 1024;
  room.join("bob", () => {});
  expect(seats[0].isTerminated).toBe(false);
  seats[0].bufferedAmount++;
  room.join("carol", () => {});
  expect(seats[0].isTerminated).toBe(true);
  expect(seats[1].sent).toContainEqual({ type: "joined", name: "carol" });
});
