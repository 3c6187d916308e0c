import { describe, expect, test } from "vitest";
import { Lifecycle } from "./lifecycle.ts";
import { CAUSES, type Cause, EFFECTS, type Effect, MOVES } from "./moves.ts";
import { PHASES, type Phase } from "./phases.ts";

const pairs = PHASES.flatMap((from) => CAUSES.map((cause) => [from, cause] as const));

function rowsFor(from: Phase, cause: Cause) {
  return MOVES.filter((row) => row.from.includes(from) && row.on.includes(cause));
}

/** A lifecycle that has come to `phase` by the shortest way. */
function lifecycleIn(phase: Phase): Lifecycle {
  let ways: (readonly Cause[])[] = [[]];
  for (;;) {
    for (const way of ways) {
      const lifecycle = new Lifecycle(undefined);
      for (const cause of way) lifecycle.move(cause);
      if (lifecycle.phase === phase) return lifecycle;
    }
    ways = ways.flatMap((way) => CAUSES.map((cause) => [...way, cause]));
  }
}

/** Every way through the table that begins with `http` and does not repeat a phase. */
function* ways(from: Phase = "http", effects: readonly Effect[] = []): Generator<{ readonly end: Phase; readonly effects: readonly Effect[] }> {
  const moves = CAUSES.flatMap((cause) => rowsFor(from, cause));
  if (moves.length === 0) yield { end: from, effects };
  for (const move of moves) yield* ways(move.becomes, [...effects, ...move.effects]);
}

describe("the table", () => {
  test.each(pairs)("in %s, %s has at most one row, and the lifecycle obeys it", (from, cause) => {
    const rows = rowsFor(from, cause);
    expect(rows.length).toBeLessThanOrEqual(1);
    const lifecycle = lifecycleIn(from);
    expect(lifecycle.move(cause)).toEqual(rows[0]?.effects);
    expect(lifecycle.phase).toBe(rows[0]?.becomes ?? from);
  });

  test("every phase is reached, every cause and effect is used", () => {
    expect(new Set(MOVES.flatMap(({ from, becomes }) => [...from, becomes]))).toEqual(new Set(PHASES));
    expect(new Set(MOVES.flatMap(({ on }) => on))).toEqual(new Set(CAUSES));
    expect(new Set(MOVES.flatMap(({ effects }) => effects))).toEqual(new Set(EFFECTS));
  });

  test("no way is endless: each move leads to a later phase", () => {
    for (const { from, becomes } of MOVES) {
      for (const phase of from) {
        const isLast = phase === "down" && becomes === "released";
        expect(isLast || PHASES.indexOf(becomes) > PHASES.indexOf(phase), `${phase} → ${becomes}`).toBe(true);
      }
    }
  });
});

describe("L8: on every way through the table", () => {
  const all = [...ways()];

  test("the end is that the io is somebody else's, and every phase before can come down", () => {
    expect(new Set(all.map(({ end }) => end))).toEqual(new Set(["released"]));
    for (const phase of PHASES) {
      const isOver = phase === "released" || phase === "down";
      const causes = CAUSES.filter((cause) => rowsFor(phase, cause)[0]?.becomes === "down");
      expect(causes.length > 0, phase).toBe(!isOver);
    }
  });

  test("the application is notified once, and `closed` and run() settle once", () => {
    for (const { effects } of all) {
      expect(
        effects.filter((effect) => effect === "notify"),
        effects.join(" "),
      ).toHaveLength(1);
      expect(effects.filter((effect) => effect === "settle").length, effects.join(" ")).toBeGreaterThanOrEqual(1);
    }
  });

  test("no deadline and no writer is left, and the io is let go of or given up", () => {
    for (const { effects } of all) {
      for (const effect of ["stop-deadlines", "stop-writing"] as const) expect(effects).toContain(effect);
      expect(effects.includes("let-go") !== effects.includes("abort-io"), effects.join(" ")).toBe(true);
    }
  });
});

test("what has to be done to the io comes before the application is notified", () => {
  for (const { effects } of MOVES) {
    const at = effects.indexOf("notify");
    if (at === -1) continue;
    for (const effect of ["abort-io", "let-go", "half-close", "stop-writing"] as const) {
      expect(effects.indexOf(effect), effects.join(" ")).toBeLessThan(at);
    }
  }
});

test("each move is told to the hook, with its cause", () => {
  const told: string[] = [];
  const lifecycle = new Lifecycle((from, cause, to) => told.push(`${from} ${cause} ${to}`));
  for (const cause of ["quiet", "ended", "ended", "quiet", "taken"] as const) lifecycle.move(cause);
  expect(told).toEqual(["http ended finishing", "finishing quiet kept-open", "kept-open taken released"]);
});
