// driver → [lifecycle] → driver: moves one connection through its phases, without io

import { type Cause, type Effect, MOVES, type Move } from "./moves.ts";
import { PHASES, type Phase } from "./phases.ts";

type Row = { [C in Cause]?: Move };

// The table by phase and cause.
const ROWS = Object.fromEntries(PHASES.map((phase) => [phase, rowOf(phase)])) as {
  readonly [P in Phase]: Row;
};

function rowOf(phase: Phase): Row {
  const moves = MOVES.filter(({ from }) => from.includes(phase));
  return Object.fromEntries(moves.flatMap((move) => move.on.map((cause) => [cause, move])));
}

/** Called on each move, before its effects. */
export type OnTransition = (from: Phase, cause: Cause, to: Phase) => void;

/** The phase of a connection, and how each cause changes it. */
export class Lifecycle {
  #phase: Phase = "http";
  readonly #onTransition: OnTransition | undefined;

  constructor(onTransition: OnTransition | undefined) {
    this.#onTransition = onTransition;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** Whether HTTP is not over. */
  get isLive(): boolean {
    return this.#phase === "http" || this.#phase === "switching";
  }

  /** Whether HTTP is over, or about to be, and the rest of what was sent is being written. */
  get awaitsQuiet(): boolean {
    return this.#phase === "switching" || this.#phase === "finishing";
  }

  /** Moves, if this phase has a row for the cause; returns the effects to apply, in order. */
  move(cause: Cause): readonly Effect[] | undefined {
    const from = this.#phase;
    const move = ROWS[from][cause];
    if (move === undefined) return undefined;
    this.#phase = move.becomes;
    this.#onTransition?.(from, cause, move.becomes);
    return move.effects;
  }
}
