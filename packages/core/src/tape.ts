// bytes → scanner → [tape] → headers: where the parts of the head that was read last stand

import { FIELD_LIST } from "./tape-layout.ts";

/**
 * What scanner/scanner.ts wrote of the head that was read last, by the places in tape-layout.ts. Offsets count
 * from the head's first byte. The next head overwrites it, of whatever connection it is.
 */
export let tape: Int32Array = new Int32Array(0);

/** The end of the tape, from {@link FIELD_LIST} on. */
export let fieldsOnTape: Int32Array = tape;

/** Changes with what is on the tape: who keeps an offset for later keeps this beside it. */
export let page = 0;

/** The methods that the scanner knows. */
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

/** The tape lies in WebAssembly's memory, which is made at the first use. */
export function layTape(ints: Int32Array): void {
  tape = ints;
  fieldsOnTape = ints.subarray(FIELD_LIST);
}

/** Another head is being read. */
export function turnPage(): void {
  page++;
}
