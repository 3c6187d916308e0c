// transport → [causes] → driver: why something failed, whatever it is that was thrown

/** The words of what was thrown. There are errors whose words cannot be read. */
export function wordsOf(reason: unknown): string {
  try {
    return String(reason instanceof Error ? reason.message : reason);
  } catch {
    return "something that cannot be read";
  }
}

/** What was thrown, as an error. */
export function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(wordsOf(reason));
}
