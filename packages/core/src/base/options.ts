// Refuses an unknown option, and one of the wrong kind.

import { LocalProtocolError } from "./errors.ts";

/** The values an option may have. */
export interface Kind {
  readonly says: string;
  fits(value: unknown): boolean;
}

/** All options of one function, by name. */
export type Kinds<Options> = { readonly [Name in keyof Required<Options>]: Kind };

/** Checked where it is used. */
export const ANY: Kind = { says: "", fits: () => true };
/** `true` or `false`. */
export const BOOLEAN: Kind = { says: "a boolean", fits: (value) => typeof value === "boolean" };
/** A function; what it returns is checked when it is called. */
export const FUNCTION: Kind = { says: "a function", fits: (value) => typeof value === "function" };
/** An `AbortSignal` of any realm. */
export const SIGNAL: Kind = withMethods(
  "an AbortSignal",
  "addEventListener",
  "removeEventListener",
);
/** A clock with its three methods. */
export const CLOCK: Kind = withMethods("a Clock", "now", "setTimer", "clearTimer");
/** Milliseconds. */
export const DURATION: Kind = { says: "a whole number of milliseconds", fits: isWhole };
export const SIZE: Kind = {
  says: "a whole number, or Infinity",
  fits: (value) => value === Infinity || isWhole(value),
};

function isWhole(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function withMethods(says: string, ...names: readonly string[]): Kind {
  const fits = (value: unknown): boolean => {
    if (typeof value !== "object" || value === null) return false;
    try {
      return names.every((name) => typeof (value as Record<string, unknown>)[name] === "function");
    } catch {
      // A method that cannot be read cannot be called.
      return false;
    }
  };
  return { says, fits };
}

/**
 * Checks the names of all options, and the values of those in `kinds`.
 *
 * @param others An object whose keys are the options that are checked elsewhere.
 * @throws {LocalProtocolError} `INVALID_OPTION`.
 */
export function checkOptions(
  options: object,
  kinds: { readonly [name: string]: Kind },
  others: object = kinds,
): void {
  if (typeof options !== "object" || options === null) throw noOptions(inWords(options));
  const values = options as { readonly [name: string]: unknown };
  const isPlain = Object.getPrototypeOf(options) === Object.prototype;
  const names = isPlain ? Object.keys(options) : namesIn(options);
  for (const name of names) {
    if (Object.hasOwn(kinds, name)) check(values, name, kinds[name]!);
    else if (!Object.hasOwn(others, name)) throw unknown(name, kinds, others);
  }
  if (isPlain) return;
  // A class may define options that cannot be enumerated.
  for (const name of Object.keys(kinds)) check(values, name, kinds[name]!);
}

/** The names to check, inherited ones included. None of an instance: it may have other members. */
function namesIn(options: object): string[] {
  if (Array.isArray(options)) throw noOptions("an array");
  if (options instanceof Map || options instanceof Set) throw noOptions("a Map or a Set");
  const names: string[] = [];
  if (isInstance(options)) return names;
  for (const name in options) if (!(name in Object.prototype)) names.push(name);
  return names;
}

function noOptions(given: string): LocalProtocolError {
  return new LocalProtocolError("INVALID_OPTION", `options are ${given}, not an object`);
}

// An option that is checked where it is used is read only there, once.
function check(values: { readonly [name: string]: unknown }, name: string, kind: Kind): void {
  if (kind !== ANY) checkValue(name, values[name], kind);
}

// An instance of a caller's class may have members that are not options.
function isInstance(options: object): boolean {
  const { constructor: made } = options;
  return typeof made === "function" && made !== Object;
}

/** @throws {LocalProtocolError} `INVALID_OPTION`: the value is given, but not of this kind. */
export function checkValue(name: string, value: unknown, kind: Kind): void {
  if (value === undefined || kind.fits(value)) return;
  throw new LocalProtocolError("INVALID_OPTION", `${name} is ${inWords(value)}, not ${kind.says}`);
}

/** Describes a caller's value for an error. It gives only the type of what may be a secret. */
export function inWords(value: unknown): string {
  switch (typeof value) {
    case "number":
    case "boolean":
    case "undefined":
      return String(value);
    case "object":
      return value === null ? "null" : "an object";
    default:
      return `a ${typeof value}`;
  }
}

function unknown(name: string, kinds: object, others: object): LocalProtocolError {
  const known = [...new Set([...Object.keys(kinds), ...Object.keys(others)])].sort();
  const meant = nearest(name, known);
  const hint = meant === undefined ? `known are ${known.join(", ")}` : `did you mean ${meant}?`;
  return new LocalProtocolError("INVALID_OPTION", `${name}: ${hint}`);
}

/** The known name that `name` is a misspelling of, if any. */
function nearest(name: string, known: readonly string[]): string | undefined {
  let meant: string | undefined;
  // One edit in three letters: "timeout" for "timeoutMs", but not "name" for "date".
  let least = Math.max(1, Math.floor(name.length / 3)) + 1;
  for (const one of known) {
    const slips = distance(name.toLowerCase(), one.toLowerCase());
    if (slips < least) [least, meant] = [slips, one];
  }
  return meant;
}

/**
 * How many letters must be added, removed, replaced or swapped with the next to turn `a` into `b`
 * (Damerau and Levenshtein's optimal string alignment).
 */
function distance(a: string, b: string): number {
  let before: number[] = [];
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      const isSwapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      const swapped = isSwapped ? before[j - 2]! + 1 : Infinity;
      next.push(Math.min(replaced, swapped, row[j]! + 1, next[j - 1]! + 1));
    }
    [before, row] = [row, next];
  }
  return row[b.length]!;
}
