// bytes → [llhttp and its recorder] → tape → head parser: the one file that knows WebAssembly

import { compileLlhttp, compileRecorder } from "#llhttp";
import { concat, latin1ToText } from "../octets.ts";
import {
  CONSUMED,
  FIELD_LIST,
  INTS_PER_FIELD,
  layTape,
  TARGET_END,
  TARGET_START,
  tape,
  turnPage,
} from "../tape.ts";
import { isWhiteSpace } from "../tokens.ts";

// What core may know of the platform here: no DOM and no Node types are loaded.
interface Wasm {
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
interface LlhttpExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  readonly __indirect_function_table: { set(at: number, callback: unknown): void };
  llhttp_alloc(type: number): number;
  llhttp_set_lenient_chunked_length(parser: number, on: number): void;
  malloc(length: number): number;
}
interface RecorderExports {
  readonly onMessageBegin: unknown;
  readonly onUrl: unknown;
  readonly onSpan: unknown;
  readonly onField: unknown;
  readonly onValue: unknown;
  readonly onHeadersComplete: unknown;
  readonly onMessageComplete: unknown;
  init(tape: number, fields: number): void;
  run(parser: number, input: number, length: number, begins: boolean): number;
}

export type MessageKind = "request" | "response";

/** llhttp's answers that are not errors: more input wanted; paused by us at a head's end. */
export const OK = 0;
export const PAUSED = 21;
// One that is: a Content-Length with something else than digits, and spaces behind them.
const BAD_LENGTH = 11;

const TAB = 0x09;
const SP = 0x20;

// Input goes in by slices of this size, so that WASM memory never grows with it.
const SLICE_BYTES = 65_536;
// Of a chunk as much is copied as its first head may have; behind that, windows of this size. What
// stands behind a head is mostly a body, and never read here.
const WINDOW_BYTES = 4_096;
// What is left of a window is read on in, if it is as much as this.
const ENOUGH_BYTES = 1_024;
// sizeof(llhttp_t) in a 32-bit build: the state that makes a parser go on in the middle of a head.
const STATE_BYTES = 64;
// More fields than that are read from the text: the default limit is 100.
const FIELDS_ON_TAPE = 1_024;
const TAPE_INTS = FIELD_LIST + FIELDS_ON_TAPE * INTS_PER_FIELD;
// llhttp's table has its callbacks in this order, from 1.
const FIRST_CALLBACK = 1;

/** How much of the input the last call took; where the fault stands, if it was refused. */
export let position = 0;
/** How much of a request's target there was in it. */
export let targetLength = 0;
// What is in WASM memory: loaded[loadedFrom, loadedTo), read up to nextAt.
let loaded: Uint8Array | undefined;
let loadedFrom = 0;
let loadedTo = 0;
let nextAt = 0;
// Where in it the last run began.
let readFrom = 0;
let llhttp: Llhttp | undefined;

interface Llhttp {
  readonly run: RecorderExports["run"];
  readonly memory: Uint8Array;
  readonly request: number;
  readonly response: number;
  readonly input: number;
}

/**
 * Reads at most one head from `bytes[from, to)` and stops right behind it. Bodies never come here:
 * every callback says that there is none. What it found is on the tape.
 *
 * No JavaScript runs before it is done, so that nothing can come back in here.
 *
 * @param state Where an earlier call for the same head left off; undefined at its beginning.
 * @returns llhttp's error number: {@link PAUSED} at the end of a head, {@link OK} for "more".
 */
export function execute(
  kind: MessageKind,
  bytes: Uint8Array,
  from: number,
  to: number,
  state: Uint8Array | undefined,
): number {
  const result = feed(kind, bytes, from, to, state);
  if (result !== BAD_LENGTH || bytes[from + position] !== TAB) return result;
  // RFC 9112 §5: a tab may stand behind any value. Behind a Content-Length llhttp takes spaces
  // alone, so it is given them: what else may stand there it still refuses.
  const spaced = concat([viewOf(bytes, from, to)]);
  for (let at = position; isWhiteSpace(spaced[at]!); at++) spaced[at] = SP;
  return execute(kind, spaced, 0, spaced.length, state);
}

function feed(
  kind: MessageKind,
  bytes: Uint8Array,
  from: number,
  to: number,
  state: Uint8Array | undefined,
): number {
  llhttp ??= instantiate();
  const { run, memory } = llhttp;
  const parser = llhttp[kind];
  let begins = state === undefined;
  let result = OK;
  let at = from;
  let length = 0;
  while (result === OK && at < to) {
    // First: the chunk is somebody else's, and may have heads of others read while it is copied.
    readFrom = load(llhttp, bytes, at, to);
    if (at === from && state !== undefined) memory.set(state, parser);
    turnPage();
    const end = to < loadedTo ? to : loadedTo;
    result = run(parser, readFrom, end - at, begins);
    at += tape[CONSUMED]!;
    length += tape[TARGET_END]! - tape[TARGET_START]!;
    begins = false;
  }
  nextAt = at;
  position = at - from;
  targetLength = length;
  return result;
}

/**
 * The text of the head that was read last, if it is exact: of what was checked, whatever its owner
 * has made of the chunk since.
 */
export function textOfExact(): string {
  return latin1ToText(llhttp!.memory, readFrom, readFrom + position);
}

// Puts bytes[at…] into WASM memory; returns where. Of a chunk with many heads, read one behind the
// other, each byte is copied once and not once for every head in front of it; where other chunks
// come in between, a window is copied for each. A head that is cut by a window is audited.
function load({ memory, input }: Llhttp, bytes: Uint8Array, at: number, to: number): number {
  const isEnough = to <= loadedTo || loadedTo - at >= ENOUGH_BYTES;
  const goesOn = bytes === loaded && at === nextAt && at > 0 && isEnough;
  if (!goesOn) {
    const room = at === 0 ? Math.min(to, SLICE_BYTES) : WINDOW_BYTES;
    const end = bytes.length - at > room ? at + room : bytes.length;
    const isWhole = at === 0 && end === bytes.length;
    memory.set(isWhole ? bytes : viewOf(bytes, at, end), input);
    loaded = bytes;
    loadedFrom = at;
    loadedTo = end;
  }
  return input + at - loadedFrom;
}

// What Buffer.subarray makes is a Buffer, which costs more than to copy a head.
function viewOf({ buffer, byteOffset }: Uint8Array, from: number, to: number): Uint8Array {
  return new Uint8Array(buffer, byteOffset + from, to - from);
}

/** The state to give to {@link execute} with the next bytes of the same head. */
export function saveState(kind: MessageKind): Uint8Array {
  const parser = llhttp![kind];
  return llhttp!.memory.slice(parser, parser + STATE_BYTES);
}

function instantiate(): Llhttp {
  const { Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  // Wanted when it is made, and never called: the recorder's callbacks take their places.
  const callback = () => 0;
  const env = {
    wasm_on_message_begin: callback,
    wasm_on_url: callback,
    wasm_on_status: callback,
    wasm_on_header_field: callback,
    wasm_on_header_value: callback,
    wasm_on_headers_complete: callback,
    wasm_on_body: callback,
    wasm_on_message_complete: callback,
  };
  const exports = new Instance(compileLlhttp(), { env }).exports as LlhttpExports;
  const recorder = new Instance(compileRecorder(), { llhttp: exports, env: exports })
    .exports as RecorderExports;
  const callbacks = [
    recorder.onMessageBegin,
    recorder.onUrl,
    recorder.onSpan,
    recorder.onField,
    recorder.onValue,
    recorder.onHeadersComplete,
    recorder.onSpan,
    recorder.onMessageComplete,
  ];
  for (const [i, one] of callbacks.entries()) {
    exports.__indirect_function_table.set(FIRST_CALLBACK + i, one);
  }
  const request = exports.llhttp_alloc(1);
  const response = exports.llhttp_alloc(2);
  const input = exports.malloc(SLICE_BYTES);
  const tapeAt = exports.malloc(TAPE_INTS * Int32Array.BYTES_PER_ELEMENT);
  // Content-Length beside Transfer-Encoding is framing.ts's to refuse: it alone knows that a client
  // ignores both in a 2xx to CONNECT (RFC 9110 §9.3.6).
  exports.llhttp_set_lenient_chunked_length(request, 1);
  exports.llhttp_set_lenient_chunked_length(response, 1);
  // The last allocation is made: from here on the memory does not grow, and these views stay.
  const { buffer } = exports.memory;
  layTape(new Int32Array(buffer, tapeAt, TAPE_INTS));
  recorder.init(tapeAt, FIELDS_ON_TAPE);
  return { run: recorder.run, memory: new Uint8Array(buffer), request, response, input };
}
