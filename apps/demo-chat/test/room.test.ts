import { expect, test } from "vitest";
import type { ChatEvent } from "../src/protocol.ts";
import { MAX_PEOPLE, Room } from "../src/room.ts";

/** Records the events sent to a person. */
function listener(): { received: ChatEvent[]; send: (event: ChatEvent) => void } {
  const received: ChatEvent[] = [];
  return { received, send: (event) => received.push(event) };
}

test("announces a newcomer to those present, but not to the newcomer", () => {
  const room = new Room();
  const alice = listener();
  const bob = listener();
  room.join("alice", alice.send);
  room.join("bob", bob.send);
  expect(alice.received).toEqual([{ type: "joined", name: "bob" }]);
  expect(bob.received).toEqual([]);
  expect(room.names).toEqual(["alice", "bob"]);
});

test("sends a message to everyone, including the sender, in one order", () => {
  const room = new Room();
  const one = listener();
  const two = listener();
  const alice = room.join("alice", one.send);
  const bob = room.join("bob", two.send);
  one.received.length = 0;
  room.say(alice, "hello");
  room.say(bob, "hi");
  const both = [
    { type: "message", from: "alice", text: "hello" },
    { type: "message", from: "bob", text: "hi" },
  ];
  expect(one.received).toEqual(both);
  expect(two.received).toEqual(both);
});

test("numbers a taken name, ignoring case", () => {
  const room = new Room();
  const names = ["alice", "Alice", "ALICE", "alice-2"].map(
    (name) => room.join(name, () => {}).name,
  );
  expect(names).toEqual(["alice", "Alice-2", "ALICE-3", "alice-2-2"]);
});

test("frees a name when its owner leaves, and notifies the others once", () => {
  const room = new Room();
  const bob = listener();
  const alice = room.join("alice", () => {});
  room.join("bob", bob.send);
  room.leave(alice);
  room.leave(alice);
  expect(bob.received).toEqual([{ type: "left", name: "alice" }]);
  expect(room.join("alice", () => {}).name).toBe("alice");
});

test("ignores a person who has left, even if the name has a new owner", () => {
  const room = new Room();
  const bob = listener();
  room.join("bob", bob.send);
  const gone = room.join("alice", () => {});
  room.leave(gone);
  room.join("alice", () => {});
  bob.received.length = 0;
  room.say(gone, "boo");
  room.leave(gone);
  expect(bob.received).toEqual([]);
  expect(room.names).toEqual(["bob", "alice"]);
});

test(`is full with ${MAX_PEOPLE} people, but not with one fewer`, () => {
  const room = new Room();
  for (let n = 1; n < MAX_PEOPLE; n++) room.join(`person ${n}`, () => {});
  expect(room.isFull).toBe(false);
  room.join("the last one", () => {});
  expect(room.isFull).toBe(true);
});
