import vm from "node:vm";
import { expect, test } from "vitest";
import { asError, messageOf, transportFailed } from "./causes.ts";

test("any thrown value has a message and converts to an error", () => {
  const error = new Error("boom");
  const unreadable = {
    toString() {
      throw error;
    },
  };
  expect([messageOf(error), messageOf("text"), messageOf(7)]).toEqual(["boom", "text", "7"]);
  expect(messageOf(unreadable)).toBe("an unreadable error");
  expect(asError(error)).toBe(error);
  expect(asError("text")).toEqual(new Error("text"));
});

test("a transport failure that is passed on is prefixed once", () => {
  const named = "the transport failed: reset";
  expect(transportFailed(new Error("reset")).message).toBe(named);
  expect(transportFailed(transportFailed(new Error("reset"))).message).toBe(named);
  expect(transportFailed(new Error("the transport failed")).message).toBe("the transport failed");
});

test("an error of another realm is an error; an object that throws on inspection is not", () => {
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
  expect(messageOf(hostile)).toBe("an unreadable error");
});
