import { expect, test } from "vitest";
import { asError, transportFailed, wordsOf } from "./causes.ts";

test("anything that is thrown has words, and is made an error", () => {
  const error = new Error("boom");
  const unreadable = {
    toString() {
      throw error;
    },
  };
  expect([wordsOf(error), wordsOf("text"), wordsOf(7)]).toEqual(["boom", "text", "7"]);
  expect(wordsOf(unreadable)).toBe("something that cannot be read");
  expect(asError(error)).toBe(error);
  expect(asError("text")).toEqual(new Error("text"));
});

test("the failure of a transport that is passed on is named once", () => {
  const named = "the transport failed: reset";
  expect(transportFailed(new Error("reset")).message).toBe(named);
  expect(transportFailed(transportFailed(new Error("reset"))).message).toBe(named);
  expect(transportFailed(new Error("the transport failed")).message).toBe("the transport failed");
});
