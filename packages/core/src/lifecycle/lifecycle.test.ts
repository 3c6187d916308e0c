import { describe, expect, test } from "vitest";
import { moveOn } from "./lifecycle.ts";
import { CAUSES, type Cause, EFFECTS, type Effect, MOVES } from "./moves.ts";
import { PHASES, type Phase } from "./phases.ts";

const pairs = PHASES.flatMap((from) => CAUSES.map((cause) => [from, cause] as const));

function rowsFor(from: Phase, cause: Cause) {
  return MOVES.filter((row) => row.from.includes(from) && row.on.includes(cause));
}

/** Every path through the table from `http`. */
function* ways(from: Phase = "http", effects: readonly Effect[] = []): Generator<{ readonly end: Phase; readonly effects: readonly Effect[] }> {
  const moves = CAUSES.flatMap((cause) => rowsFor(from, cause));
  if (moves.length === 0) yield { end: from, effects };
  for (const move of moves) yield* ways(move.becomes, [...effects, ...move.effects]);
}

describe("the table", () => {
  test.each(pairs)("in %s, %s has at most one row, which is found", (from, cause) => {
    const rows = rowsFor(from, cause);
    expect(rows.length).toBeLessThanOrEqual(1);
    expect(moveOn(from, cause)).toBe(rows[0]);
  });

  test("every phase is reached, every cause and effect is used", () => {
    expect(new Set(MOVES.flatMap(({ from, becomes }) => [...from, becomes]))).toEqual(new Set(PHASES));
    expect(new Set(MOVES.flatMap(({ on }) => on))).toEqual(new Set(CAUSES));
    expect(new Set(MOVES.flatMap(({ effects }) => effects))).toEqual(new Set(EFFECTS));
  });

  test("every path ends: each move leads to a later phase", () => {
    for (const { from, becomes } of MOVES) {
      for (const phase of from) {
        const isLast = phase === "down" && becomes === "released";
        expect(isLast || PHASES.indexOf(becomes) > PHASES.indexOf(phase), `${phase} → ${becomes}`).toBe(true);
      }
    }
  });
});

describe("L8: on every path through the table", () => {
  const all = [...ways()];

  test("the io is released at the end, and every live phase can go down", () => {
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

  test("no deadline and no writer is left, and the io is released or aborted", () => {
    for (const { effects } of all) {
      for (const effect of ["stop-deadlines", "stop-writing"] as const) expect(effects).toContain(effect);
      expect(effects.includes("release") !== effects.includes("abort-io"), effects.join(" ")).toBe(true);
    }
  });
});

test("effects on the io come before the application is notified", () => {
  for (const { effects } of MOVES) {
    const at = effects.indexOf("notify");
    if (at === -1) continue;
    for (const effect of ["abort-io", "release", "half-close", "stop-writing"] as const) {
      expect(effects.indexOf(effect), effects.join(" ")).toBeLessThan(at);
    }
  }
});
