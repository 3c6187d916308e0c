// bytes → tape → [lookup] → headers: the scanner compares names, sixteen octets at a time

import { latin1ToText, textToLatin1 } from "../base/octets.ts";
import { BYTES_PER_NAME, MAX_NAMES } from "./tape-layout.ts";

/** Finds the first field on the tape, from `first` on, whose name has this number. */
type Find = (number: number, length: number, first: number) => number;

let memory: Uint8Array | undefined;
let find: Find | undefined;

/** Sets where the names are: in WebAssembly's memory, which is allocated on first use. */
export function setNames(names: Uint8Array, finder: Find): void {
  memory = names;
  find = finder;
}

// Programs look up the same few names. The first of them get a number; any other, and anything that
// is not a name, is looked up in the text.
const numbers = new Map<string, number>();

/** The number of a name; undefined if it has none. */
export function numberOf(name: string): number | undefined {
  return numbers.get(name) ?? number(name);
}

function number(name: string): number | undefined {
  const next = numbers.size;
  if (next === MAX_NAMES || name.length > BYTES_PER_NAME || !/^[!-~]*$/.test(name))
    return undefined;
  memory!.set(textToLatin1(name.toLowerCase()), next * BYTES_PER_NAME);
  // A copy: a name cut from a received head would keep the whole head in memory.
  numbers.set(latin1ToText(textToLatin1(name)), next);
  return next;
}

/** The index of the first field on the tape, from `first` on, with this name; -1 if there is none. */
export function findOnTape(number: number, length: number, first: number): number {
  return find!(number, length, first);
}
