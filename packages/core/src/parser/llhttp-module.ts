// bytes → [llhttp] → spans → head parser: the one file that knows WebAssembly

import { compileLlhttp } from "#llhttp";

// What core may know of the platform here: no DOM and no Node types are loaded.
interface Wasm {
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
interface LlhttpExports {
  readonly memory: { readonly buffer: ArrayBuffer };
  llhttp_alloc(type: number): number;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, input: number, length: number): number;
  llhttp_get_error_pos(parser: number): number;
  llhttp_set_lenient_chunked_length(parser: number, on: number): void;
  malloc(length: number): number;
}

export type MessageKind = "request" | "response";

/** What a span is of. */
export const URL = 1;
export const STATUS = 2;
export const FIELD = 3;
export const VALUE = 4;

/** Three integers a span: kind, offset, length. */
export const INTS_PER_SPAN = 3;

/** llhttp's answers that are not errors: more input wanted; paused by us at a head's end. */
export const OK = 0;
export const PAUSED = 21;

// Input goes in by slices of this size, so that WASM memory never grows with it.
const SLICE_BYTES = 65_536;
// sizeof(llhttp_t) in a 32-bit build: the state that makes a parser go on in the middle of a head.
const STATE_BYTES = 64;
// 1,024 spans hold 500 fields; a longer head makes the tape grow, once.
const FIRST_TAPE_INTS = 1_024 * INTS_PER_SPAN;

// Returned from llhttp's callbacks.
const GO_ON = 0;
const NO_BODY = 1;

/** The spans of the head that was read last. Valid until the next call; never call out in between. */
export let tape = new Int32Array(FIRST_TAPE_INTS);
/** How many integers of the tape are filled. More than its length: the tape was too short. */
export let tapeLength = 0;
/** How much of the input the last call took; where the fault stands, if it was refused. */
export let position = 0;
let spanBase = 0;
let running = false;
// What is in WASM memory: loaded[loadedFrom, loadedTo), read up to nextAt.
let loaded: Uint8Array | undefined;
let loadedFrom = 0;
let loadedTo = 0;
let nextAt = 0;
let llhttp: Llhttp | undefined;

interface Llhttp {
  readonly exports: LlhttpExports;
  readonly memory: Uint8Array;
  readonly parsers: { readonly [K in MessageKind]: number };
  readonly input: number;
}

/**
 * Reads at most one head from `bytes[from, to)` and stops right behind it. Bodies never come here:
 * every callback says that there is none.
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
  llhttp ??= instantiate();
  // A callback, getter or transport that came back in here would overwrite the input it stands on.
  if (running) throw new Error("internal: llhttp was re-entered");
  running = true;
  const { exports, memory, parsers } = llhttp;
  const parser = parsers[kind];
  tapeLength = 0;
  if (state === undefined) exports.llhttp_reset(parser);
  else memory.set(state, parser);
  let result = OK;
  let at = from;
  while (result === OK && at < to) {
    const address = load(llhttp, bytes, at, to);
    const end = to < loadedTo ? to : loadedTo;
    spanBase = at - from - address;
    result = exports.llhttp_execute(parser, address, end - at);
    // The position is garbage where nothing stopped llhttp.
    at = result === OK ? end : at + exports.llhttp_get_error_pos(parser) - address;
  }
  nextAt = at;
  position = at - from;
  running = false;
  return result;
}

// Puts bytes[at…] into WASM memory; returns where. Of a chunk with many heads, read one behind the
// other, each byte is copied once and not once for every head in front of it. A head that may not
// end in what was copied begins a copy of its own: none is cut that is not longer than a slice.
function load({ memory, input }: Llhttp, bytes: Uint8Array, at: number, to: number): number {
  const goesOn = bytes === loaded && at === nextAt && at > 0 && to <= loadedTo;
  if (!goesOn) {
    loadedTo = bytes.length - at > SLICE_BYTES ? at + SLICE_BYTES : bytes.length;
    memory.set(at === 0 && loadedTo === bytes.length ? bytes : bytes.subarray(at, loadedTo), input);
    loaded = bytes;
    loadedFrom = at;
  }
  return input + at - loadedFrom;
}

/** The state to give to {@link execute} with the next bytes of the same head. */
export function saveState(kind: MessageKind): Uint8Array {
  const { memory, parsers } = llhttp!;
  return memory.slice(parsers[kind], parsers[kind] + STATE_BYTES);
}

/** Makes room for the spans of a head that overflowed the tape. */
export function growTape(): void {
  tape = new Int32Array(tapeLength * 2);
}

// Callbacks write three integers and do nothing else.
function record(kind: number, at: number, length: number): number {
  const next = tapeLength;
  if (next + INTS_PER_SPAN <= tape.length) {
    tape[next] = kind;
    tape[next + 1] = at + spanBase;
    tape[next + 2] = length;
  }
  tapeLength = next + INTS_PER_SPAN;
  return GO_ON;
}

function instantiate(): Llhttp {
  const { Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  const env = {
    wasm_on_message_begin: () => GO_ON,
    wasm_on_url: (_: number, at: number, length: number) => record(URL, at, length),
    wasm_on_status: (_: number, at: number, length: number) => record(STATUS, at, length),
    wasm_on_header_field: (_: number, at: number, length: number) => record(FIELD, at, length),
    wasm_on_header_value: (_: number, at: number, length: number) => record(VALUE, at, length),
    // Where a body ends is framing's to say; llhttp's own opinion on it is never asked.
    wasm_on_headers_complete: () => NO_BODY,
    wasm_on_body: () => GO_ON,
    wasm_on_message_complete: () => PAUSED,
  };
  const exports = new Instance(compileLlhttp(), { env }).exports as LlhttpExports;
  const request = exports.llhttp_alloc(1);
  const response = exports.llhttp_alloc(2);
  const input = exports.malloc(SLICE_BYTES);
  // Content-Length beside Transfer-Encoding is framing.ts's to refuse: it alone knows that a client
  // ignores both in a 2xx to CONNECT (RFC 9110 §9.3.6).
  exports.llhttp_set_lenient_chunked_length(request, 1);
  exports.llhttp_set_lenient_chunked_length(response, 1);
  // The last allocation is made: from here on the memory does not grow, and this view stays.
  return {
    exports,
    memory: new Uint8Array(exports.memory.buffer),
    parsers: { request, response },
    input,
  };
}
