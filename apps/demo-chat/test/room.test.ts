import { expect, test } from "vitest";
import type { ChatEvent } from "../src/protocol.ts";
import { MAX_PEOPLE, Room } from "../src/room.ts";

/** Somebody who writes down what was told. */
function listener(): { heard: ChatEvent[]; tell: (event: ChatEvent) => void } {
  const heard: ChatEvent[] = [];
  return { heard, tell: (event) => heard.push(event) };
}

test("tells those who are here of somebody who joins, and not the newcomer", () => {
  const room = new Room();
  const alice = listener();
  const bob = listener();
  room.join("alice", alice.tell);
  room.join("bob", bob.tell);
  expect(alice.heard).toEqual([{ type: "joined", name: "bob" }]);
  expect(bob.heard).toEqual([]);
  expect(room.names).toEqual(["alice", "bob"]);
});

test("tells everybody what was said, the speaker too, in one order", () => {
  const room = new Room();
  const one = listener();
  const two = listener();
  const alice = room.join("alice", one.tell);
  const bob = room.join("bob", two.tell);
  one.heard.length = 0;
  room.say(alice, "hello");
  room.say(bob, "hi");
  const both = [
    { type: "message", from: "alice", text: "hello" },
    { type: "message", from: "bob", text: "hi" },
  ];
  expect(one.heard).toEqual(both);
  expect(two.heard).toEqual(both);
});

test("gives a taken name a number, whatever its case", () => {
  const room = new Room();
  const names = ["alice", "Alice", "ALICE", "alice-2"].map(
    (name) => room.join(name, () => {}).name,
  );
  expect(names).toEqual(["alice", "Alice-2", "ALICE-3", "alice-2-2"]);
});

test("frees a name when its owner leaves, and tells the others once", () => {
  const room = new Room();
  const bob = listener();
  const alice = room.join("alice", () => {});
  room.join("bob", bob.tell);
  room.leave(alice);
  room.leave(alice);
  expect(bob.heard).toEqual([{ type: "left", name: "alice" }]);
  expect(room.join("alice", () => {}).name).toBe("alice");
});

test("does not hear somebody who has left, and does not take the next one of that name away", () => {
  const room = new Room();
  const bob = listener();
  room.join("bob", bob.tell);
  const gone = room.join("alice", () => {});
  room.leave(gone);
  room.join("alice", () => {});
  bob.heard.length = 0;
  room.say(gone, "boo");
  room.leave(gone);
  expect(bob.heard).toEqual([]);
  expect(room.names).toEqual(["bob", "alice"]);
});

test(`is full with ${MAX_PEOPLE} people, and not with one fewer`, () => {
  const room = new Room();
  for (let n = 1; n < MAX_PEOPLE; n++) room.join(`person ${n}`, () => {});
  expect(room.isFull).toBe(false);
  room.join("the last one", () => {});
  expect(room.isFull).toBe(true);
});
