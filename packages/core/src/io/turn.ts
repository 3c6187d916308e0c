// driver ← [the end of a turn] ← application: when what was said together leaves together

interface Platform {
  readonly process?: { readonly nextTick?: (callback: () => void) => void };
}

/**
 * Calls back behind everything that already waits to run in this turn. On Node that is behind all
 * microtasks, so that the answers of sixteen pending services leave in one write.
 */
export function atEndOfTurn(callback: () => void): void {
  const nextTick = (globalThis as Platform).process?.nextTick;
  if (nextTick !== undefined) nextTick(callback);
  else Promise.resolve().then(callback);
}
