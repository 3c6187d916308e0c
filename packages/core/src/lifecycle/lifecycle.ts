// driver → [lifecycle] → driver: one connection's way through the phases, without io

import { type Cause, type Effect, MOVES } from "./moves.ts";
import type { Phase } from "./phases.ts";

/** Is called at each move, before its effects. */
export type OnTransition = (from: Phase, cause: Cause, to: Phase) => void;

/** Where a connection stands, and what each cause makes of that. */
export class Lifecycle {
  #phase: Phase = "http";
  readonly #onTransition: OnTransition | undefined;

  constructor(onTransition: OnTransition | undefined) {
    this.#onTransition = onTransition;
  }

  get phase(): Phase {
    return this.#phase;
  }

  /** HTTP is not over. */
  get isLive(): boolean {
    return this.#phase === "http" || this.#phase === "switching";
  }

  /** HTTP is over, or will be, and the io is not: what was said is waited for. */
  get awaitsQuiet(): boolean {
    return this.#phase === "switching" || this.#phase === "finishing";
  }

  /** Moves, if this phase has a row for the cause; returns what is to be done now, in order. */
  move(cause: Cause): readonly Effect[] | undefined {
    const from = this.#phase;
    const move = MOVES.find((row) => row.from.includes(from) && row.on.includes(cause));
    if (move === undefined) return undefined;
    this.#phase = move.becomes;
    this.#onTransition?.(from, cause, move.becomes);
    return move.effects;
  }
}
