// driver ← [the end of a turn] ← application: when what was said together leaves together

interface Platform {
  readonly process?: { readonly nextTick?: (callback: () => void) => void };
}

/** Has something to do when a turn ends. */
export interface Turning {
  endTurn(): void;
}

// All that wait for the end of the same turn: one callback of the platform does for them.
let waiting: Turning[] = [];
// What was asked for it: a test's fake may take it along and never call.
let asked: unknown;

/**
 * Calls `one.endTurn()` behind everything that already waits to run in this turn. On Node that is
 * behind all microtasks, so that the answers of sixteen pending services leave in one write.
 */
export function atEndOfTurn(one: Turning): void {
  waiting.push(one);
  const nextTick = (globalThis as Platform).process?.nextTick;
  if (waiting.length > 1 && nextTick === asked) return;
  asked = nextTick;
  if (nextTick !== undefined) nextTick(endTurn);
  else Promise.resolve().then(endTurn);
}

function endTurn(): void {
  const due = waiting;
  waiting = [];
  let next = 0;
  try {
    while (next < due.length) due[next++]!.endTurn();
  } finally {
    // One that throws keeps no other waiting for ever.
    for (const late of due.slice(next)) atEndOfTurn(late);
  }
}
