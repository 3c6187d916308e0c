// bytes → llhttp → [tape] → headers: where the parts of the head that was read last stand

/**
 * What recorder/recorder.ts wrote of the head that was read last, by the places below. Offsets
 * count from the head's first byte. The next head overwrites it, of whatever connection it is.
 */
export let tape: Int32Array = new Int32Array(0);

/** The end of the tape, from {@link FIELD_LIST} on. */
export let fieldsOnTape: Int32Array = tape;

/** Changes with what is on the tape: who keeps an offset for later keeps this beside it. */
export let page = 0;

/** How many bytes the last run took, or where it met a fault. */
export const CONSUMED = 0;
/** Whether the head is all there and as RFC 9112 has it, and the rest of the tape means something. */
export const IS_EXACT = 1;
/** Where the start line begins, behind the empty lines that may stand in front of it. */
export const START = 2;
export const TARGET_START = 3;
export const TARGET_END = 4;
/** HTTP/1.x: the x. */
export const MINOR = 5;
export const STATUS = 6;
export const REASON_START = 7;
export const REASON_END = 8;
/** How many fields there are. */
export const FIELDS = 9;
/** How many of them steer the connection. */
export const STEERING = 10;
/** Two integers each: which steering field it is, and its place among the fields. */
export const STEERING_LIST = 11;
/** Four offsets each: where the name starts and ends, where the value starts and ends. */
export const FIELD_LIST = 43;

export const INTS_PER_STEERING = 2;
export const INTS_PER_FIELD = 4;

/** The tape lies in WebAssembly's memory, which is made at the first use. */
export function layTape(ints: Int32Array): void {
  tape = ints;
  fieldsOnTape = ints.subarray(FIELD_LIST);
}

/** Something else is being written. */
export function turnPage(): void {
  page++;
}
