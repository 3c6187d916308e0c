// application → [given lines] → headers: what is given as headers, each part read once, and checked

import { LocalProtocolError } from "./errors.ts";
import { faultOfToken, faultOfValue, isFieldValue, isToken } from "./tokens.ts";

/**
 * Names and values in turn, each read once and not checked; `before` itself where they are the same.
 *
 * @throws {LocalProtocolError} `INVALID_HEADERS`. What they throw themselves is its cause.
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
    // It may be another connection's error, with that one's facts.
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

// What is wrong with them is returned, and what is thrown is theirs.
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

// Coerced once: what is checked here is what is written.
function checkLine(lines: unknown[], i: number): void {
  const name = lines[i];
  const value = lines[i + 1];
  // A name that is none may be a whole line, and hold the value too.
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

/** Headers of a shape that is none. */
export function invalidShape(came: unknown): LocalProtocolError {
  const flat = typeof came === "string" ? "; for a flat array use Headers.fromFlat" : "";
  return new LocalProtocolError("INVALID_HEADERS", `${typeof came}${flat}`);
}
