import vm from "node:vm";
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

test("an error of another realm is one; what only says so, and throws, is none", () => {
  const foreign: unknown = vm.runInNewContext("new Error('reset')");
  expect(transportFailed(foreign)).toMatchObject({
    message: "the transport failed: reset",
    cause: foreign,
  });
  expect(asError(foreign)).toBe(foreign);
  const hostile = {
    get [Symbol.toStringTag](): string {
      throw new Error("hostile");
    },
  };
  expect(transportFailed(hostile).message).toBe("the transport failed: closed");
  expect(wordsOf(hostile)).toBe("something that cannot be read");
});
