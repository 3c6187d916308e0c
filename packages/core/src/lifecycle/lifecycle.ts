// driver → [lifecycle] → driver: moves one connection through its phases, without io

import { type Cause, type Effect, MOVES } from "./moves.ts";
import type { Phase } from "./phases.ts";

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
    const move = MOVES.find((row) => row.from.includes(from) && row.on.includes(cause));
    if (move === undefined) return undefined;
    this.#phase = move.becomes;
    this.#onTransition?.(from, cause, move.becomes);
    return move.effects;
  }
}
