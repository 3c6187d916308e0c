// A bare parser: llhttp's WebAssembly as driven by undici, without further checks.

import { createRequire } from "node:module";
import type { Parser } from "./parsers.ts";

// Node's types lack WebAssembly.
interface Wasm {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}
interface Llhttp {
  readonly memory: { readonly buffer: ArrayBuffer };
  llhttp_alloc(kind: number): number;
  llhttp_reset(parser: number): void;
  llhttp_execute(parser: number, input: number, length: number): number;
  malloc(length: number): number;
}

// The constructor that Buffer.subarray uses.
const FastBuffer = (
  Buffer as unknown as {
    [Symbol.species]: new (memory: ArrayBufferLike, start: number, length: number) => Buffer;
  }
)[Symbol.species];

const REQUEST = 1;
const OK = 0;
const PAUSED_AT_UPGRADE = 22;
const INPUT_BYTES = 65_536;

let current: UndiciStyleParser;
let currentBytes: Buffer;
let input = 0;
let llhttp: Llhttp | undefined;

/** Every span becomes a Buffer at once; strings are created only for those that are read. */
export class UndiciStyleParser implements Parser {
  readonly #llhttp = shared();
  readonly #parser = this.#llhttp.llhttp_alloc(REQUEST);
  #spans: Buffer[] = [];

  take(bytes: Buffer): void {
    current = this;
    currentBytes = bytes;
    this.#spans = [];
    const { memory, llhttp_execute } = this.#llhttp;
    new Uint8Array(memory.buffer, input, bytes.length).set(bytes);
    const result = llhttp_execute(this.#parser, input, bytes.length);
    if (result !== OK && result !== PAUSED_AT_UPGRADE) throw new Error(`llhttp says ${result}`);
  }

  push(span: Buffer): void {
    this.#spans.push(span);
  }

  read(name: string): string | undefined {
    const spans = this.#spans;
    for (let i = 0; i < spans.length; i += 2) {
      if (spans[i]!.length === name.length && text(spans[i]!).toLowerCase() === name) {
        return text(spans[i + 1]!);
      }
    }
    return undefined;
  }

  all(): readonly string[] {
    return this.#spans.map(text);
  }

  reset(): void {
    this.#llhttp.llhttp_reset(this.#parser);
  }
}

function text(span: Buffer): string {
  return span.toString("latin1");
}

function shared(): Llhttp {
  llhttp ??= instantiate();
  return llhttp;
}

function instantiate(): Llhttp {
  const require = createRequire(import.meta.url);
  const { Module, Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  const module = new Module(require("undici/lib/llhttp/llhttp-wasm.js"));
  const proceed = () => OK;
  const span = (_: number, at: number, length: number) => {
    const start = at - input + currentBytes.byteOffset;
    current.push(new FastBuffer(currentBytes.buffer, start, length));
    return OK;
  };
  const env = {
    wasm_on_message_begin: proceed,
    wasm_on_url: proceed,
    wasm_on_status: proceed,
    wasm_on_header_field: span,
    wasm_on_header_value: span,
    wasm_on_headers_complete: proceed,
    wasm_on_body: proceed,
    wasm_on_message_complete: proceed,
  };
  const exports = new Instance(module, { env }).exports as Llhttp;
  input = exports.malloc(INPUT_BYTES);
  return exports;
}
