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

// llhttp's results: it needs more input; we paused it at the end of a head; a Content-Length is not
// digits followed by spaces. All others are errors, too.
const OK = 0;
const PAUSED = 21;
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

interface Compiled {
  readonly exports: LlhttpExports;
  readonly memory: Uint8Array;
  readonly parser: number;
  readonly input: number;
  /** Its state before the first field line. */
  readonly start: Uint8Array;
}

/** llhttp, compiled on first use, and its memory. One serves all connections. */
class Llhttp {
  #compiled: Compiled | undefined;
  // How much of its input buffer has been written to.
  #written = 0;

  /** Where in its input the last {@link read} ended or broke. */
  position = 0;

  /**
   * Reads field lines from `bytes[from, to)`, up to the empty line that ends a head, and not a byte
   * further. It never reads a body: the callbacks report none. If it breaks, the octet at
   * {@link position} or the one before it is wrong.
   *
   * @param state The state after the previous piece of this head; undefined before its first field.
   * @param answersConnect Accept any Content-Length and Transfer-Encoding.
   */
  read(
    bytes: Uint8Array,
    from: number,
    to: number,
    state: Uint8Array | undefined,
    answersConnect = false,
  ): "ended" | "broke" | "goes on" {
    const result = this.#execute(bytes, from, to, state, answersConnect);
    if (result === BAD_LENGTH && bytes[from + this.position] === TAB) {
      // RFC 9112 §5: a tab may follow any value. After a Content-Length llhttp accepts only spaces,
      // so turn the tabs into spaces: it still refuses anything else.
      const spaced = concat([viewOf(bytes, from, to)]);
      for (let at = this.position; isWhiteSpace(spaced[at]!); at++) spaced[at] = SP;
      return this.read(spaced, 0, spaced.length, state);
    }
    return result === PAUSED ? "ended" : result === OK ? "goes on" : "broke";
  }

  /** The state to pass to {@link read} with the next bytes of the same head. */
  saveState(): Uint8Array {
    const { memory, parser } = this.#compiled!;
    return memory.slice(parser, parser + STATE_BYTES);
  }

  /** Part of `forget`: clears the input buffer. */
  forget(): void {
    if (this.#compiled === undefined || this.#written === 0) return;
    const { memory, input } = this.#compiled;
    memory.fill(0, input, input + this.#written);
    this.#written = 0;
  }

  #execute(
    bytes: Uint8Array,
    from: number,
    to: number,
    state: Uint8Array | undefined,
    answersConnect: boolean,
  ): number {
    this.#compiled ??= compile();
    const { exports, memory, parser, input, start } = this.#compiled;
    memory.set(state ?? start, parser);
    let result = OK;
    let at = from;
    while (result === OK && at < to) {
      const end = Math.min(to, at + SLICE_BYTES);
      memory.set(viewOf(bytes, at, end), input);
      this.#written = Math.max(this.#written, end - at);
      if (answersConnect) disguise(memory.subarray(input, input + end - at));
      result = exports.llhttp_execute(parser, input, end - at);
      // The position is undefined unless llhttp stopped.
      at = result === OK ? end : at + exports.llhttp_get_error_pos(parser) - input;
    }
    this.position = at - from;
    return result;
  }
}

export const llhttp = new Llhttp();

// RFC 9110 §9.3.6: a client ignores Content-Length and Transfer-Encoding in a 2xx to CONNECT, but
// llhttp would refuse them if repeated or malformed. With underscores for hyphens it does not
// recognize them, and the grammar allows both. framing.ts checks them in any other response.
function disguise(octets: Uint8Array): void {
  for (let at = octets.indexOf(HYPHEN); at !== -1; at = octets.indexOf(HYPHEN, at + 1)) {
    octets[at] = UNDERSCORE;
  }
}

function compile(): Compiled {
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
