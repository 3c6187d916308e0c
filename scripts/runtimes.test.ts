import { expect, test } from "vitest";
import { judge, type Known, type Played, readKnown } from "./runtimes/judge.mjs";

const known = (lists: Partial<Known>): Known[] => [
  { runtimes: ["bun"], transport: "TCP", because: "of a reason", ...lists },
];
const played = (...names: string[]): Played[] =>
  names.map((name) => {
    const one = { transport: "TCP", case: name.replace("!", "") };
    return name.endsWith("!") ? { ...one, failed: "expected 1, not 2" } : one;
  });

test("a case that fails without a reason is a fault", () => {
  const { transports, faults } = judge("bun", played("a", "b!"), []);
  expect(transports).toEqual({ TCP: 1 });
  expect(faults).toEqual(["TCP: b: expected 1, not 2"]);
});

test("a case that is known to fail is none, in that runtime and on that transport alone", () => {
  const list = known({ cases: ["b"] });
  expect(judge("bun", played("a", "b!"), list).faults).toEqual([]);
  expect(judge("deno", played("a", "b!"), list).faults).toHaveLength(1);
  const elsewhere = played("b!").map((one) => ({ ...one, transport: "TLS" }));
  expect(judge("bun", [...played("b!"), ...elsewhere], list).faults).toEqual([
    "TLS: b: expected 1, not 2",
  ]);
});

test("a case that is known to fail, and passes, is a fault, and so is one that is not played", () => {
  expect(judge("bun", played("a", "b"), known({ cases: ["b"] })).faults).toEqual([
    "TCP: b: no longer fails",
  ]);
  expect(judge("bun", played("a"), known({ cases: ["b"], sometimes: ["c"] })).faults).toEqual([
    "TCP: b: known, but not played",
    "TCP: c: known, but not played",
  ]);
});

test("all cases but some may be known to fail", () => {
  const list = known({ allBut: ["a"] });
  expect(judge("bun", played("a", "b!", "c!"), list)).toEqual({
    transports: { TCP: 1 },
    faults: [],
  });
  expect(judge("bun", played("a!", "b!"), list).faults).toEqual(["TCP: a: expected 1, not 2"]);
});

test("a case that fails by chance is never counted as passed", () => {
  const list = known({ cases: [], sometimes: ["b"] });
  for (const name of ["b", "b!"]) {
    const judged = judge("bun", played("a", name), list);
    expect(judged).toEqual({ transports: { TCP: 1 }, faults: [] });
  }
});

test("every known failure has a reason, and lists its cases in one way", () => {
  for (const { because, cases, allBut } of readKnown()) {
    expect(because.length).toBeGreaterThan(20);
    expect([cases, allBut].filter((list) => list !== undefined)).toHaveLength(1);
  }
});
