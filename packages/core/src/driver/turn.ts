// driver ← [the end of a turn] ← application: batches everything written in one turn

interface Platform {
  readonly process?: { readonly nextTick?: (callback: () => void) => void };
}

type TurnListener = { endTurn(): void };

// One platform callback serves every listener of the same turn.
let waiting: TurnListener[] = [];
// The nextTick last used: a test's fake may never call back.
let scheduledWith: unknown;

/**
 * Calls `listener.endTurn()` after everything already queued in this turn. On Node that is after all
 * microtasks, so the responses of many pending services leave in one write.
 */
export function atEndOfTurn(listener: TurnListener): void {
  waiting.push(listener);
  const nextTick = (globalThis as Platform).process?.nextTick;
  if (waiting.length > 1 && nextTick === scheduledWith) return;
  scheduledWith = nextTick;
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
    // If one throws, the others still run, at the end of the next turn.
    for (const late of due.slice(next)) atEndOfTurn(late);
  }
}
