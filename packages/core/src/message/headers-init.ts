// application → [given lines] → headers: reads a HeadersInit once, and checks it

import { LocalProtocolError } from "../base/errors.ts";
import { faultOfToken, faultOfValue, isFieldValue, isToken } from "../base/tokens.ts";

/**
 * Names and values in turn, each read once and not checked; `before` itself if they are the same.
 *
 * @throws {LocalProtocolError} `INVALID_HEADERS`. What `init` itself throws is the cause.
 */
export function linesOf(
  init: object | undefined,
  before: readonly string[] | undefined,
): readonly unknown[] {
  if (typeof init !== "object" || init === null) throw invalidShape(init);
  let lines: readonly unknown[] | LocalProtocolError;
  try {
    lines = isIterable(init) ? pairsOf(init, before) : recordLines(init);
  } catch (cause) {
    // Not rethrown: it may be another connection's error, with details of that one.
    throw new LocalProtocolError("INVALID_HEADERS", "they cannot be read", { cause });
  }
  if (lines instanceof Error) throw lines;
  return lines;
}

function isIterable(init: object): init is Iterable<unknown> {
  return Symbol.iterator in init;
}

function recordLines(init: object): unknown[] {
  const lines: unknown[] = [];
  for (const [name, value] of Object.entries(init)) {
    if (Array.isArray(value)) for (const one of value) lines.push(name, one);
    else if (value !== undefined) lines.push(name, value);
  }
  return lines;
}

// Returns what is wrong with the pairs; whatever it throws is thrown by `init`.
function pairsOf(
  init: Iterable<unknown>,
  before: readonly string[] = [],
): readonly unknown[] | LocalProtocolError {
  let lines: unknown[] | undefined;
  let at = 0;
  for (const pair of init) {
    if (!Array.isArray(pair) || pair.length !== 2) return invalidShape(pair);
    const name: unknown = pair[0];
    const value: unknown = pair[1];
    const isSame = at < before.length && name === before[at] && value === before[at + 1];
    if (lines === undefined && !isSame) lines = before.slice(0, at);
    lines?.push(name, value);
    at += 2;
  }
  return lines ?? (at === before.length ? before : before.slice(0, at));
}

/** @throws {LocalProtocolError} `INVALID_HEADER` for a name or a value that may not be sent. */
export function checkedLines(lines: unknown[]): string[] {
  for (let i = 0; i < lines.length; i += 2) checkLine(lines, i);
  return lines as string[];
}

// Converted once, so that what is checked is what is written.
function checkLine(lines: unknown[], i: number): void {
  const name = lines[i];
  const value = lines[i + 1];
  // Do not quote an invalid name: it may be a whole line, with its value.
  if (typeof name !== "string" || !isToken(name)) {
    const fault = typeof name === "string" ? faultOfToken(name) : `is a ${typeof name}`;
    throw new LocalProtocolError("INVALID_HEADER", `the name of field ${i / 2 + 1} ${fault}`);
  }
  if (typeof value !== "string" && typeof value !== "number") {
    throw new LocalProtocolError("INVALID_HEADER", `${name} is a ${typeof value}`);
  }
  const text = String(value);
  if (!isFieldValue(text)) {
    throw new LocalProtocolError("INVALID_HEADER", `${name} ${faultOfValue(text)}`);
  }
  lines[i + 1] = text;
}

/** The error for something that is not headers. */
export function invalidShape(given: unknown): LocalProtocolError {
  const flat = typeof given === "string" ? "; for a flat array use Headers.fromFlat" : "";
  return new LocalProtocolError("INVALID_HEADERS", `${typeof given}${flat}`);
}
