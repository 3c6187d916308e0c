// bytes → [scanner] → tape → head parser: whole and exact heads, read in WebAssembly

import { compileScanner } from "#llhttp";
import { layNames } from "../asked.ts";
import { latin1ToText, viewOf } from "../octets.ts";
import { layTape, turnPage } from "../tape.ts";
import {
  BYTES_PER_NAME,
  FIELD_LIST,
  INTS_PER_FIELD,
  MAX_FIELDS,
  MAX_NAMES,
} from "../tape-layout.ts";
import type { SectionKind } from "./head.ts";
import { instantiate } from "./wasm.ts";

interface ScannerExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  scanRequest(from: number, to: number): number;
  scanResponse(from: number, to: number): number;
  scanTrailers(from: number, to: number): number;
  find(name: number, length: number, first: number): number;
}

/** What {@link scan} answers where there is no exact head: another reader is to say why. */
const NOT_WHOLE = -1;

// The tape lies at the beginning of the scanner's memory, then names, then the input.
const TAPE_INTS = FIELD_LIST + MAX_FIELDS * INTS_PER_FIELD;
const NAMES_AT = TAPE_INTS * Int32Array.BYTES_PER_ELEMENT;
const INPUT = NAMES_AT + MAX_NAMES * BYTES_PER_NAME;
// Nearly every head is shorter. What stands behind a head is mostly a body, and never read here.
const WINDOW_BYTES = 4_096;
// No longer head is scanned.
const MOST_BYTES = 65_536;
// What is left of a window is read on in, if it is as much as this.
const ENOUGH_BYTES = 1_024;

let scanner: Scanner | undefined;
// What is in the scanner's memory: loaded[loadedFrom, loadedTo), read up to nextAt.
let loaded: Uint8Array | undefined;
let loadedFrom = 0;
let loadedTo = 0;
let nextAt = 0;
// How much of it has been written to.
let writtenTo = INPUT;
// Where in it the last head is.
let headFrom = 0;
let headTo = 0;
// All of it as text, if it has more heads than one.
let windowText: string | undefined;

type Scan = (from: number, to: number) => number;

interface Scanner {
  readonly memory: Uint8Array;
  readonly scans: { readonly [K in SectionKind]: Scan };
}

/**
 * Compiles the scanner, if nobody has asked for it before.
 *
 * @throws {LocalProtocolError} `NO_WEBASSEMBLY`.
 */
export function prepareScanner(): void {
  scanner ??= lay();
}

/**
 * Reads the head at `bytes[from]`, of which no more than the bytes up to `to` belong to it. Where its
 * parts stand is on the tape then.
 *
 * @returns Its length; 0 or less where it is not whole, or not exact.
 */
export function scan(kind: SectionKind, bytes: Uint8Array, from: number, to: number): number {
  scanner ??= lay();
  let at = goesOn(bytes, from, to) ? INPUT + from - loadedFrom : load(bytes, from, WINDOW_BYTES);
  let length = run(scanner, kind, at, from, to);
  if (length === NOT_WHOLE && loadedTo < to) {
    at = load(bytes, from, MOST_BYTES);
    length = run(scanner, kind, at, from, to);
  }
  nextAt = from + length;
  headFrom = at;
  headTo = at + length;
  return length;
}

/**
 * The text of the head that was read last: of what was checked, whatever its owner has made of the
 * chunk since.
 */
export function textOfScanned(): string {
  const { memory } = scanner!;
  // A call of the platform costs more than the text of a small head, so that of many heads in one
  // window the text is made once. A longer one would be kept in memory by the last of its heads.
  const length = loadedTo - loadedFrom;
  if (headFrom === INPUT || length > WINDOW_BYTES) return latin1ToText(memory, headFrom, headTo);
  windowText ??= latin1ToText(memory, INPUT, INPUT + length);
  return windowText.substring(headFrom - INPUT, headTo - INPUT);
}

function run(scanner: Scanner, kind: SectionKind, at: number, from: number, to: number): number {
  // Behind the copy: the chunk is somebody else's, and may have heads of others read meanwhile.
  turnPage();
  const end = at - from + (to < loadedTo ? to : loadedTo);
  return scanner.scans[kind](at, end);
}

// Of a chunk with many heads, read one behind the other, each byte is copied once and not once for
// every head in front of it; where other chunks come in between, a window is copied for each.
function goesOn(bytes: Uint8Array, from: number, to: number): boolean {
  const isEnough = to <= loadedTo || loadedTo - from >= ENOUGH_BYTES;
  return bytes === loaded && from === nextAt && from > 0 && isEnough;
}

function load(bytes: Uint8Array, from: number, room: number): number {
  const end = bytes.length - from > room ? from + room : bytes.length;
  const isWhole = from === 0 && end === bytes.length;
  scanner!.memory.set(isWhole ? bytes : viewOf(bytes, from, end), INPUT);
  writtenTo = Math.max(writtenTo, INPUT + end - from);
  loaded = bytes;
  loadedFrom = from;
  loadedTo = end;
  windowText = undefined;
  return INPUT;
}

/** As `forget`, of what is in the scanner's memory. */
export function forgetWindow(): void {
  if (scanner === undefined || writtenTo === INPUT) return;
  scanner.memory.fill(0, INPUT, writtenTo);
  writtenTo = INPUT;
  loaded = undefined;
  windowText = undefined;
  // Names are looked for in what was forgotten: from now on they are cut from the head's own text.
  turnPage();
}

function lay(): Scanner {
  const { memory, find, ...scans } = instantiate<ScannerExports>(compileScanner, {});
  layTape(new Int32Array(memory.buffer, 0, TAPE_INTS));
  layNames(new Uint8Array(memory.buffer, NAMES_AT, MAX_NAMES * BYTES_PER_NAME), find);
  return {
    memory: new Uint8Array(memory.buffer),
    scans: {
      request: scans.scanRequest,
      response: scans.scanResponse,
      trailers: scans.scanTrailers,
    },
  };
}
