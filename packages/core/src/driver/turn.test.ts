import { afterEach, expect, test, vi } from "vitest";
import { atEndOfTurn } from "./turn.ts";

afterEach(() => vi.unstubAllGlobals());

async function order(): Promise<string[]> {
  const ran: string[] = [];
  atEndOfTurn({ endTurn: () => ran.push("end of turn") });
  for (const name of ["first", "second"]) void Promise.resolve().then(() => ran.push(name));
  ran.push("now");
  await new Promise((resolve) => setTimeout(resolve));
  return ran;
}

test("on Node, after every queued microtask", async () => {
  const later = Promise.resolve().then(order);
  expect(await later).toEqual(["now", "first", "second", "end of turn"]);
});

test("without process.nextTick, in a microtask", async () => {
  vi.stubGlobal("process", {});
  expect(await order()).toEqual(["now", "end of turn", "first", "second"]);
});

test("a listener that throws does not stop the others", async () => {
  const ticks: (() => void)[] = [];
  vi.stubGlobal("process", { nextTick: (tick: () => void) => ticks.push(tick) });
  const ran: string[] = [];
  atEndOfTurn({ endTurn: () => ran.push("first") });
  atEndOfTurn({
    endTurn: () => {
      throw new Error("no");
    },
  });
  atEndOfTurn({ endTurn: () => ran.push("third") });
  expect(ticks.length).toBe(1);
  expect(() => ticks[0]!()).toThrow("no");
  expect(ran).toEqual(["first"]);
  ticks[1]!();
  expect(ran).toEqual(["first", "third"]);
});

test("a fake nextTick that never calls back does not block later listeners", () => {
  const ran: string[] = [];
  vi.stubGlobal("process", { nextTick: () => {} });
  atEndOfTurn({ endTurn: () => ran.push("first") });
  const ticks: (() => void)[] = [];
  vi.stubGlobal("process", { nextTick: (tick: () => void) => ticks.push(tick) });
  atEndOfTurn({ endTurn: () => ran.push("second") });
  atEndOfTurn({ endTurn: () => ran.push("third") });
  expect(ticks.length).toBe(1);
  ticks[0]!();
  expect(ran).toEqual(["first", "second", "third"]);
});
