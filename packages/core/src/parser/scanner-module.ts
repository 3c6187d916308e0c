// bytes → [scanner] → tape → head parser: whole and exact heads, read in WebAssembly

import { compileScanner } from "#llhttp";
import { latin1ToText, textToLatin1, viewOf } from "../base/octets.ts";
import type { SectionKind } from "./head.ts";
import {
  BYTES_PER_NAME,
  FIELD_LIST,
  INTS_PER_FIELD,
  MAX_FIELDS,
  MAX_NAMES,
} from "./tape-layout.ts";
import { instantiate } from "./wasm.ts";

type Scan = (from: number, to: number) => number;

interface ScannerExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly scanRequest: Scan;
  readonly scanResponse: Scan;
  readonly scanTrailers: Scan;
  /** Finds the first field on the tape, from `first` on, whose name has this number. */
  find(name: number, length: number, first: number): number;
}

interface Compiled {
  readonly exports: ScannerExports;
  readonly scans: { readonly [K in SectionKind]: Scan };
  readonly memory: Uint8Array;
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

/**
 * The scanner, compiled on first use, and its memory: a window of the chunk that is being read, the
 * tape, and the names that were looked up. One serves all connections, so the next head of any
 * connection overwrites the tape.
 */
class Scanner {
  #compiled: Compiled | undefined;

  /** What the last scan found, laid out as in tape-layout.ts. Offsets count from the head's start. */
  tape = new Int32Array(0);
  /** The tape from {@link FIELD_LIST} on. */
  fields = this.tape;
  /** Changes whenever the tape does: an offset is valid only in its generation. */
  generation = 0;

  // The window is loaded[from, to), read up to nextAt.
  #loaded: Uint8Array | undefined;
  #loadedFrom = 0;
  #loadedTo = 0;
  #nextAt = 0;
  // The end of what has been written to.
  #writtenTo = INPUT;
  // The last head in the scanner's memory.
  #headFrom = 0;
  #headTo = 0;
  // The window as text, if it has more than one head.
  #windowText: string | undefined;

  // Programs look up the same few names. The first of them get a number; any other, and anything
  // that is not a name, is looked up in the text.
  readonly #numbers = new Map<string, number>();

  /**
   * Compiles the scanner, unless that is done.
   *
   * @throws {LocalProtocolError} `NO_WEBASSEMBLY`.
   */
  prepare(): Compiled {
    this.#compiled ??= this.#compile();
    return this.#compiled;
  }

  /**
   * Reads the head at `bytes[from]`, which must end by `to`, and writes the offsets of its parts to
   * the tape.
   *
   * @returns Its length; 0 or less if it is not whole, or not exact.
   */
  scan(kind: SectionKind, bytes: Uint8Array, from: number, to: number): number {
    const compiled = this.prepare();
    const scan = compiled.scans[kind];
    let at = this.#hasWindow(bytes, from, to)
      ? INPUT + from - this.#loadedFrom
      : this.#load(compiled, bytes, from, WINDOW_BYTES);
    let length = this.#run(scan, at, from, to);
    if (length === NOT_WHOLE && this.#loadedTo < to) {
      at = this.#load(compiled, bytes, from, MAX_BYTES);
      length = this.#run(scan, at, from, to);
    }
    this.#nextAt = from + length;
    this.#headFrom = at;
    this.#headTo = at + length;
    return length;
  }

  /** The length of the head that was read last. */
  get headLength(): number {
    return this.#headTo - this.#headFrom;
  }

  /**
   * The text of the head that was read last. It is made from the copy that was checked, since the
   * chunk may have changed.
   */
  text(): string {
    const { memory } = this.#compiled!;
    const [from, to] = [this.#headFrom, this.#headTo];
    // Decoding a small head costs less than the call, so the text of many heads in one window is made
    // at once. A longer text would be kept in memory by the last of its heads.
    const length = this.#loadedTo - this.#loadedFrom;
    if (from === INPUT || length > WINDOW_BYTES) return latin1ToText(memory, from, to);
    this.#windowText ??= latin1ToText(memory, INPUT, INPUT + length);
    return this.#windowText.substring(from - INPUT, to - INPUT);
  }

  /**
   * The index of the first field on the tape, from `first` on, with this name; -1 if there is none,
   * undefined if the scanner does not know the name, or no longer has the head.
   */
  find(name: string, first: number): number | undefined {
    const number = this.#numbers.get(name) ?? this.#number(name);
    // After forget() its text is no longer here; the offsets on the tape still hold.
    if (number === undefined || this.#loaded === undefined) return undefined;
    return this.#compiled!.exports.find(number, name.length, first);
  }

  /** Part of `forget`: clears the window. */
  forget(): void {
    if (this.#compiled === undefined || this.#writtenTo === INPUT) return;
    this.#compiled.memory.fill(0, INPUT, this.#writtenTo);
    this.#writtenTo = INPUT;
    this.#loaded = undefined;
    this.#windowText = undefined;
  }

  #run(scan: Scan, at: number, from: number, to: number): number {
    // After the copy: the chunk's getters may have read heads of other connections.
    this.generation++;
    return scan(at, at - from + (to < this.#loadedTo ? to : this.#loadedTo));
  }

  // Whether the window already has the head at `from`. So each byte of a chunk with many heads is
  // copied once, and not again for each head, unless other chunks are read in between.
  #hasWindow(bytes: Uint8Array, from: number, to: number): boolean {
    const isEnough = to <= this.#loadedTo || this.#loadedTo - from >= MIN_REST_BYTES;
    return bytes === this.#loaded && from === this.#nextAt && from > 0 && isEnough;
  }

  #load({ memory }: Compiled, bytes: Uint8Array, from: number, room: number): number {
    const end = bytes.length - from > room ? from + room : bytes.length;
    const isWhole = from === 0 && end === bytes.length;
    memory.set(isWhole ? bytes : viewOf(bytes, from, end), INPUT);
    this.#writtenTo = Math.max(this.#writtenTo, INPUT + end - from);
    this.#loaded = bytes;
    this.#loadedFrom = from;
    this.#loadedTo = end;
    this.#windowText = undefined;
    return INPUT;
  }

  #number(name: string): number | undefined {
    const next = this.#numbers.size;
    if (next === MAX_NAMES || name.length > BYTES_PER_NAME || !/^[!-~]*$/.test(name))
      return undefined;
    const { memory } = this.#compiled!;
    memory.set(textToLatin1(name.toLowerCase()), NAMES_AT + next * BYTES_PER_NAME);
    // A copy: a name cut from a received head would keep the whole head in memory.
    this.#numbers.set(latin1ToText(textToLatin1(name)), next);
    return next;
  }

  #compile(): Compiled {
    const exports = instantiate<ScannerExports>(compileScanner, {});
    const { buffer } = exports.memory;
    this.tape = new Int32Array(buffer, 0, TAPE_INTS);
    this.fields = this.tape.subarray(FIELD_LIST);
    const scans = {
      request: exports.scanRequest,
      response: exports.scanResponse,
      trailers: exports.scanTrailers,
    };
    return { exports, scans, memory: new Uint8Array(buffer) };
  }
}

export const scanner = new Scanner();
