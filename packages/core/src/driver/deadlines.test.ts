import { expect, test } from "vitest";
import { ManualClock } from "./clock.ts";
import { Deadlines } from "./deadlines.ts";

const RELIABLE = {
  clockFailed(error: Error): void {
    throw error;
  },
};

test("the first of two simultaneous deadlines may stop the second", () => {
  const clock = new ManualClock();
  const passed: string[] = [];
  const deadlines: Deadlines = new Deadlines(clock, {
    ...RELIABLE,
    deadlinePassed: (name) => {
      passed.push(name);
      deadlines.stopAll();
    },
  });
  deadlines.start("head", 10);
  deadlines.start("body", 10);
  clock.advance(20);
  expect(passed).toEqual(["head"]);
  expect(clock.pending).toBe(0);
});

test("the first of two simultaneous deadlines may restart the second", () => {
  const clock = new ManualClock();
  const passed: string[] = [];
  const deadlines: Deadlines = new Deadlines(clock, {
    ...RELIABLE,
    deadlinePassed: (name) => {
      passed.push(`${name} at ${clock.now()}`);
      if (name === "head") deadlines.start("body", 5);
    },
  });
  deadlines.start("head", 10);
  deadlines.start("body", 10);
  clock.advance(20);
  expect(passed).toEqual(["head at 10", "body at 15"]);
});

test("a deadline that is not running never passes: an infinite time is left", () => {
  const clock = new ManualClock();
  const deadlines = new Deadlines(clock, { ...RELIABLE, deadlinePassed: () => {} });
  expect(deadlines.left("body")).toBe(Infinity);
  deadlines.start("body", 0);
  expect(deadlines.left("body")).toBe(Infinity);
  deadlines.start("body", 10);
  clock.advance(4);
  expect(deadlines.left("body")).toBe(6);
  deadlines.stop("body");
  expect(deadlines.left("body")).toBe(Infinity);
});

test("deadlines that passed while the process was suspended are reported in order", () => {
  let now = 0;
  let fire = () => {};
  const passed: string[] = [];
  const clock = { now: () => now, setTimer: (_: number, wake: () => void) => (fire = wake) };
  const deadlines = new Deadlines(
    { ...clock, clearTimer: () => {} },
    { ...RELIABLE, deadlinePassed: (name) => passed.push(name) },
  );
  deadlines.start("head", 30);
  deadlines.start("write", 20);
  deadlines.start("claim", 10);
  now = 100;
  fire();
  expect(passed).toEqual(["claim", "write", "head"]);
});

test("a clock that throws is reported once, asynchronously", async () => {
  const reported: Error[] = [];
  const broken = (): never => {
    throw new Error("of the clock");
  };
  const deadlines = new Deadlines(
    { now: broken, setTimer: broken, clearTimer: broken },
    { deadlinePassed: broken, clockFailed: (error) => reported.push(error) },
  );
  deadlines.start("head", 30);
  deadlines.startEarlier("close", 10);
  expect([reported, deadlines.has("head")]).toEqual([[], false]);
  await Promise.resolve();
  expect(reported).toEqual([expect.objectContaining({ code: "CALLBACK_FAILED" })]);
});
