// bytes → [llhttp] → head parser: field lines received in pieces, and their faults

import { compileLlhttp } from "#llhttp";
import { concat, textToLatin1, viewOf } from "../base/octets.ts";
import { isWhiteSpace } from "../base/tokens.ts";
import { instantiate } from "./wasm.ts";

interface LlhttpExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  llhttp_alloc(type: number): number;
  llhttp_execute(parser: number, input: number, length: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_set_lenient_chunked_length(parser: number, on: number): void;
  malloc(length: number): number;
}

/** Results of llhttp that are not errors: it needs more input; we paused it at the end of a head. */
export const OK = 0;
export const PAUSED = 21;
// An error: a Content-Length that is not digits followed by spaces.
const BAD_LENGTH = 11;

const TAB = 0x09;
const SP = 0x20;
const HYPHEN = 0x2d;
const UNDERSCORE = 0x5f;

// Input is copied in slices of this size, so that WASM memory never grows with it.
const SLICE_BYTES = 4_096;
// sizeof(llhttp_t) in a 32-bit build: the state from which a parser resumes in the middle of a head.
const STATE_BYTES = 64;

// Returned from llhttp's callbacks.
const GO_ON = 0;
const NO_BODY = 1;

// llhttp reads field lines only after a start line.
const START_LINE = "HTTP/1.1 200 OK\r\n";

/** The number of bytes the last call consumed; the position of the fault, if it was refused. */
export let position = 0;
let llhttp: Llhttp | undefined;
// How much of its input buffer has been written to.
let written = 0;

interface Llhttp {
  readonly exports: LlhttpExports;
  readonly memory: Uint8Array;
  readonly parser: number;
  readonly input: number;
  /** Its state before the first field line. */
  readonly start: Uint8Array;
}

/**
 * Reads field lines from `bytes[from, to)`, up to the empty line that ends a head, and not a byte
 * further. It never reads a body: the callbacks report none.
 *
 * @param state The state after the previous call for the same head; undefined before its first field.
 * @param answersConnect Accept any Content-Length and Transfer-Encoding.
 * @returns llhttp's error number: {@link PAUSED} at the end of a head, {@link OK} if it needs more.
 */
export function execute(
  bytes: Uint8Array,
  from: number,
  to: number,
  state: Uint8Array | undefined,
  answersConnect = false,
): number {
  const result = feed(bytes, from, to, state, answersConnect);
  if (result !== BAD_LENGTH || bytes[from + position] !== TAB) return result;
  // RFC 9112 §5: a tab may follow any value. After a Content-Length llhttp accepts only spaces, so
  // turn the tabs into spaces: it still refuses anything else.
  const spaced = concat([viewOf(bytes, from, to)]);
  for (let at = position; isWhiteSpace(spaced[at]!); at++) spaced[at] = SP;
  return execute(spaced, 0, spaced.length, state);
}

function feed(
  bytes: Uint8Array,
  from: number,
  to: number,
  state: Uint8Array | undefined,
  answersConnect: boolean,
): number {
  llhttp ??= make();
  const { exports, memory, parser, input } = llhttp;
  memory.set(state ?? llhttp.start, parser);
  let result = OK;
  let at = from;
  while (result === OK && at < to) {
    const end = Math.min(to, at + SLICE_BYTES);
    memory.set(viewOf(bytes, at, end), input);
    written = Math.max(written, end - at);
    if (answersConnect) disguise(memory.subarray(input, input + end - at));
    result = exports.llhttp_execute(parser, input, end - at);
    // The position is undefined unless llhttp stopped.
    at = result === OK ? end : at + exports.llhttp_get_error_pos(parser) - input;
  }
  position = at - from;
  return result;
}

// RFC 9110 §9.3.6: a client ignores Content-Length and Transfer-Encoding in a 2xx to CONNECT, but
// llhttp would refuse them if repeated or malformed. With underscores for hyphens it does not
// recognize them, and the grammar allows both. framing.ts checks them in any other response.
function disguise(octets: Uint8Array): void {
  for (let at = octets.indexOf(HYPHEN); at !== -1; at = octets.indexOf(HYPHEN, at + 1)) {
    octets[at] = UNDERSCORE;
  }
}

/** Part of `forget`: clears llhttp's memory. */
export function forgetSlice(): void {
  if (llhttp === undefined || written === 0) return;
  llhttp.memory.fill(0, llhttp.input, llhttp.input + written);
  written = 0;
}

/** The state to pass to {@link execute} with the next bytes of the same head. */
export function saveState(): Uint8Array {
  const { memory, parser } = llhttp!;
  return memory.slice(parser, parser + STATE_BYTES);
}

function make(): Llhttp {
  const goOn = () => GO_ON;
  // The callbacks call no other code: a nested call would overwrite the input being read.
  const env = {
    wasm_on_message_begin: goOn,
    wasm_on_url: goOn,
    wasm_on_status: goOn,
    wasm_on_header_field: goOn,
    wasm_on_header_value: goOn,
    wasm_on_headers_complete: () => NO_BODY,
    wasm_on_body: goOn,
    wasm_on_message_complete: () => PAUSED,
  };
  const exports = instantiate<LlhttpExports>(compileLlhttp, { env });
  const parser = exports.llhttp_alloc(2);
  const input = exports.malloc(SLICE_BYTES);
  // framing.ts refuses Content-Length with Transfer-Encoding: only there is it known whether this is
  // a 2xx to CONNECT, in which a client ignores both (RFC 9110 §9.3.6).
  exports.llhttp_set_lenient_chunked_length(parser, 1);
  // There are no further allocations, so the memory does not grow and this view stays valid.
  const memory = new Uint8Array(exports.memory.buffer);
  memory.set(textToLatin1(START_LINE), input);
  exports.llhttp_execute(parser, input, START_LINE.length);
  const start = memory.slice(parser, parser + STATE_BYTES);
  return { exports, memory, parser, input, start };
}
