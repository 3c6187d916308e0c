import { turns } from "./turns.ts";

/** The state of a promise once everything that can happen without the clock has happened. */
export async function stateOf(promise: Promise<unknown>): Promise<unknown> {
  let found: unknown = "pending";
  promise.then(
    (value) => {
      found = value;
    },
    (error) => {
      found = codeOr(error);
    },
  );
  await turns();
  return found;
}

/** The code a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    return codeOr(error);
  }
  return "resolved";
}

/** The code of an error, or its message. */
export function codeOr(error: unknown): string {
  const { code, message } = Object(error) as { code?: string; message?: string };
  return code ?? message ?? String(error);
}
