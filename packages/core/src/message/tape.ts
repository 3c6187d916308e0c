// bytes → scanner → [tape] → headers: the offsets of the parts of the head that was read last

import { FIELD_LIST } from "./tape-layout.ts";

/**
 * What scanner/scanner.ts found in the head that was read last, laid out as in tape-layout.ts.
 * Offsets count from the head's first byte. The next head of any connection overwrites it.
 */
export let tape: Int32Array = new Int32Array(0);

/** The tape from {@link FIELD_LIST} on. */
export let fieldsOnTape: Int32Array = tape;

/** Changes whenever the tape does. An offset kept for later is valid only in the same generation. */
export let generation = 0;

/** The methods that the scanner recognizes. */
export const METHODS = [
  "",
  "GET",
  "POST",
  "HEAD",
  "PUT",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "CONNECT",
] as const;

/** Sets where the tape is: in WebAssembly's memory, which is allocated on first use. */
export function setTape(ints: Int32Array): void {
  tape = ints;
  fieldsOnTape = ints.subarray(FIELD_LIST);
}

/** Invalidates the offsets of the previous head. */
export function nextGeneration(): void {
  generation++;
}
