// Assertions for any runtime.

/** Throws unless both are equal as JSON. */
export function equal(actual: unknown, expected: unknown): void {
  const [came, wanted] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (came !== wanted) throw new Error(`expected ${short(wanted)}, not ${short(came)}`);
}

/** Throws unless both are the same object. */
export function same(actual: unknown, expected: unknown): void {
  if (actual !== expected) throw new Error("expected the same object, not another one");
}

/** The code of the error that the promise is rejected with. */
export async function failureOf(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return (error as { code?: string }).code ?? textOf(error);
  }
  throw new Error("expected a failure");
}

/** The message of an error, and of its causes. */
export function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? "" : ` (${textOf(error.cause)})`;
  return `${error.message}${cause}`;
}

function short(text: string | undefined): string {
  return text === undefined || text.length <= 200 ? `${text}` : `${text.slice(0, 200)}…`;
}
