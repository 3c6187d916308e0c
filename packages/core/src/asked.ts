// bytes → tape → [names that are asked for] → headers: found by the scanner, sixteen octets at a time

import { latin1ToText, textToLatin1 } from "./octets.ts";
import { BYTES_PER_NAME, MAX_NAMES } from "./tape-layout.ts";

/** The place of the first field on the tape, from `first` on, that has the name of this number. */
type Find = (number: number, length: number, first: number) => number;

let memory: Uint8Array | undefined;
let find: Find | undefined;

/** The names lie in WebAssembly's memory, which is made at the first use. */
export function layNames(names: Uint8Array, finder: Find): void {
  memory = names;
  find = finder;
}

// Programs ask for the same few names. The first of them get a number; who asks for others, or for
// what can be no name, is answered from the text.
const numbers = new Map<string, number>();

/** The number of a name that is asked for; undefined where it has none. */
export function numberOf(name: string): number | undefined {
  return numbers.get(name) ?? number(name);
}

function number(name: string): number | undefined {
  const next = numbers.size;
  if (next === MAX_NAMES || name.length > BYTES_PER_NAME || !/^[!-~]*$/.test(name))
    return undefined;
  memory!.set(textToLatin1(name.toLowerCase()), next * BYTES_PER_NAME);
  // A copy: a name that was cut from a received head would keep all of the head.
  numbers.set(latin1ToText(textToLatin1(name)), next);
  return next;
}

/** Where on the tape, from `first` on, the first field has this name; -1 where none has. */
export function findOnTape(number: number, length: number, first: number): number {
  return find!(number, length, first);
}
