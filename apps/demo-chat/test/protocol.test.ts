import { expect, test } from "vitest";
import { cleanName, readAction, readEvent } from "../src/protocol.ts";

test.each([
  ["alice", "alice"],
  ["  two   words ", "two words"],
  ["\u001b[31mred", "[31mred"],
  ["zero\u200bwidth", "zerowidth"],
  ["e\u0301", "\u00e9"],
  ["x".repeat(24), "x".repeat(24)],
  ["🙂".repeat(24), "🙂".repeat(24)],
  ["x".repeat(25), undefined],
  ["", undefined],
  [" \n\t", undefined],
])("cleans the name %j to %j", (wanted, name) => {
  expect(cleanName(wanted)).toBe(name);
});

test.each([
  ['{"type":"hello","name":"a"}', { type: "hello", name: "a" }],
  ['{"type":"ping"}', { type: "ping" }],
  ['{"type":"message","text":"","more":1}', { type: "message", text: "" }],
])("reads the action %s", (json, action) => {
  expect(readAction(json)).toEqual(action);
});

test.each([
  "",
  "hello",
  "null",
  "1",
  "[]",
  "{}",
  '{"type":"hello"}',
  '{"type":"message","text":1}',
])("describes what is wrong with the action %j", (json) => {
  expect(readAction(json)).toEqual({ wrong: expect.any(String) });
});

test.each([
  { type: "welcome", you: null, people: ["a"] },
  { type: "welcome", you: "b", people: [] },
  { type: "joined", name: "a" },
  { type: "left", name: "a" },
  { type: "message", from: "a", text: "t" },
  { type: "error", reason: "r" },
  { type: "pong" },
])("reads back the event $type", (event) => {
  expect(readEvent(JSON.stringify(event))).toEqual(event);
});

test.each(["", "null", '{"type":"welcome","people":[1],"you":null}', '{"type":"later"}'])(
  "ignores the event %j, which is not part of chat.v1",
  (json) => {
    expect(readEvent(json)).toBeUndefined();
  },
);
