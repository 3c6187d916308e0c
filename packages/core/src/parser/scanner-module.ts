// bytes → [scanner] → tape → head parser: whole and exact heads, read in WebAssembly

import { compileScanner } from "#llhttp";
import { latin1ToText, viewOf } from "../base/octets.ts";
import { setNames } from "../message/lookup.ts";
import { nextGeneration, setTape } from "../message/tape.ts";
import {
  BYTES_PER_NAME,
  FIELD_LIST,
  INTS_PER_FIELD,
  MAX_FIELDS,
  MAX_NAMES,
} from "../message/tape-layout.ts";
import type { SectionKind } from "./head.ts";
import { instantiate } from "./wasm.ts";

interface ScannerExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  scanRequest(from: number, to: number): number;
  scanResponse(from: number, to: number): number;
  scanTrailers(from: number, to: number): number;
  find(name: number, length: number, first: number): number;
}

/** What a scan returns if more bytes may complete the head. */
const NOT_WHOLE = -1;

// The scanner's memory begins with the tape; then come the names, then the input.
const TAPE_INTS = FIELD_LIST + MAX_FIELDS * INTS_PER_FIELD;
const NAMES_AT = TAPE_INTS * Int32Array.BYTES_PER_ELEMENT;
const INPUT = NAMES_AT + MAX_NAMES * BYTES_PER_NAME;
// Nearly every head is shorter. What follows a head is mostly a body, which is not scanned.
const WINDOW_BYTES = 4_096;
// No longer head is scanned.
const MAX_BYTES = 65_536;
// The rest of a window is used for the next head only if it is at least this long.
const MIN_REST_BYTES = 1_024;

let scanner: Scanner | undefined;
// The scanner's memory has loaded[loadedFrom, loadedTo), read up to nextAt.
let loaded: Uint8Array | undefined;
let loadedFrom = 0;
let loadedTo = 0;
let nextAt = 0;
// The end of what has been written to.
let writtenTo = INPUT;
// The last head in the scanner's memory.
let headFrom = 0;
let headTo = 0;
// The window as text, if it has more than one head.
let windowText: string | undefined;

type Scan = (from: number, to: number) => number;

interface Scanner {
  readonly memory: Uint8Array;
  readonly scans: { readonly [K in SectionKind]: Scan };
}

/**
 * Compiles the scanner, unless that is done.
 *
 * @throws {LocalProtocolError} `NO_WEBASSEMBLY`.
 */
export function prepareScanner(): void {
  scanner ??= makeScanner();
}

/**
 * Reads the head at `bytes[from]`, which must end by `to`, and writes the offsets of its parts to the
 * tape.
 *
 * @returns Its length; 0 or less if it is not whole, or not exact.
 */
export function scan(kind: SectionKind, bytes: Uint8Array, from: number, to: number): number {
  scanner ??= makeScanner();
  let at = hasWindow(bytes, from, to) ? INPUT + from - loadedFrom : load(bytes, from, WINDOW_BYTES);
  let length = run(scanner, kind, at, from, to);
  if (length === NOT_WHOLE && loadedTo < to) {
    at = load(bytes, from, MAX_BYTES);
    length = run(scanner, kind, at, from, to);
  }
  nextAt = from + length;
  headFrom = at;
  headTo = at + length;
  return length;
}

/**
 * The text of the head that was read last. It is made from the copy that was checked, since the chunk
 * may have changed.
 */
export function textOfScanned(): string {
  const { memory } = scanner!;
  // Decoding a small head costs less than the call, so the text of many heads in one window is made
  // at once. A longer text would be kept in memory by the last of its heads.
  const length = loadedTo - loadedFrom;
  if (headFrom === INPUT || length > WINDOW_BYTES) return latin1ToText(memory, headFrom, headTo);
  windowText ??= latin1ToText(memory, INPUT, INPUT + length);
  return windowText.substring(headFrom - INPUT, headTo - INPUT);
}

function run(scanner: Scanner, kind: SectionKind, at: number, from: number, to: number): number {
  // After the copy: the chunk's getters may have read heads of other connections.
  nextGeneration();
  const end = at - from + (to < loadedTo ? to : loadedTo);
  return scanner.scans[kind](at, end);
}

// Whether the window already has the head at `from`. So each byte of a chunk with many heads is
// copied once, and not again for each head, unless other chunks are read in between.
function hasWindow(bytes: Uint8Array, from: number, to: number): boolean {
  const isEnough = to <= loadedTo || loadedTo - from >= MIN_REST_BYTES;
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

/** Part of `forget`: clears the scanner's memory. */
export function forgetWindow(): void {
  if (scanner === undefined || writtenTo === INPUT) return;
  scanner.memory.fill(0, INPUT, writtenTo);
  writtenTo = INPUT;
  loaded = undefined;
  windowText = undefined;
  // The last head can no longer be searched here: from now on its names are cut from its own text.
  nextGeneration();
}

function makeScanner(): Scanner {
  const { memory, find, ...scans } = instantiate<ScannerExports>(compileScanner, {});
  setTape(new Int32Array(memory.buffer, 0, TAPE_INTS));
  setNames(new Uint8Array(memory.buffer, NAMES_AT, MAX_NAMES * BYTES_PER_NAME), find);
  return {
    memory: new Uint8Array(memory.buffer),
    scans: {
      request: scans.scanRequest,
      response: scans.scanResponse,
      trailers: scans.scanTrailers,
    },
  };
}
