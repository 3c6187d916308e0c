// bytes → scanner → [tape] → headers: where the parts of the head that was read last stand

/**
 * What scanner/scanner.ts wrote of the head that was read last, by the places below. Offsets count
 * from the head's first byte. The next head overwrites it, of whatever connection it is.
 */
export let tape: Int32Array = new Int32Array(0);

/** The end of the tape, from {@link FIELD_LIST} on. */
export let fieldsOnTape: Int32Array = tape;

/** Changes with what is on the tape: who keeps an offset for later keeps this beside it. */
export let page = 0;

/** The method: its place in {@link METHODS}. */
export const METHOD = 0;
export const TARGET_START = 1;
export const TARGET_END = 2;
/** HTTP/1.x: the x. */
export const MINOR = 3;
export const STATUS = 4;
export const REASON_START = 5;
export const REASON_END = 6;
/** How many fields there are. */
export const FIELDS = 7;
/** Connection's options, and fields of which it matters only that they are there: {@link FLAG}. */
export const FLAGS = 8;
/** The Content-Length, if there is one and the flag says that it is known. */
export const LENGTH = 9;
/** How many fields steer the connection, those that are flags apart. */
export const STEERING = 10;
/** Two integers each: which steering field it is, and its place among the fields. */
export const STEERING_LIST = 11;
/** Four offsets each: where the name starts and ends, where the value starts and ends. */
export const FIELD_LIST = 43;

export const INTS_PER_STEERING = 2;
export const INTS_PER_FIELD = 4;
/** A head with more fields is not for the scanner. */
export const FIELDS_ON_TAPE = 1_024;

/** The bits of {@link FLAGS}. */
export const FLAG = {
  close: 1,
  keepAlive: 2,
  upgrade: 4,
  te: 8,
  date: 16,
  trailer: 32,
  /** One Host, of a form that needs no second look. */
  plainHost: 64,
  knownLength: 128,
} as const;

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
