// driver → [lifecycle] → driver: the table of moves, by phase and cause

import { type Cause, MOVES, type Move } from "./moves.ts";
import { PHASES, type Phase } from "./phases.ts";

type Row = { readonly [C in Cause]?: Move };

const ROWS = Object.fromEntries(PHASES.map((phase) => [phase, rowOf(phase)])) as {
  readonly [P in Phase]: Row;
};

function rowOf(phase: Phase): Row {
  const moves = MOVES.filter(({ from }) => from.includes(phase));
  return Object.fromEntries(moves.flatMap((move) => move.on.map((cause) => [cause, move])));
}

/** The move that `cause` makes in `phase`; undefined if there is no such row: nothing changes. */
export function moveOn(phase: Phase, cause: Cause): Move | undefined {
  return ROWS[phase][cause];
}

/** Whether HTTP is not over. */
export function isLive(phase: Phase): boolean {
  return phase === "http" || phase === "switching";
}
