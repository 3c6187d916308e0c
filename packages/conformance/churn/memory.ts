import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { turns } from "../src/turns.ts";

/** What a process holds after everything that can be freed has been. */
export interface Held {
  readonly heapBytes: number;
  /** Memory of array buffers, outside of the heap. */
  readonly bufferBytes: number;
  /** All WASM memory of the parser. */
  readonly wasmBytes: number;
  /** Timers, sockets and the like that keep a process alive. */
  readonly handles: number;
}

// The part of WebAssembly in use, whose types are in lib.dom.
interface Wasm {
  Instance: new (module: object, imports: object) => { readonly exports: object };
}

const memories: { readonly buffer: ArrayBuffer }[] = [];

/** Tracks every WASM instance created from here on. To be called before the first connection. */
export function watchWasm(): void {
  const { WebAssembly } = globalThis as unknown as { readonly WebAssembly: Wasm };
  WebAssembly.Instance = class extends WebAssembly.Instance {
    constructor(module: object, imports: object) {
      super(module, imports);
      const { memory } = this.exports as { readonly memory?: { readonly buffer: ArrayBuffer } };
      if (memory !== undefined) memories.push(memory);
    }
  };
}

let collect: (() => void) | undefined;

function collector(): () => void {
  if (collect !== undefined) return collect;
  setFlagsFromString("--expose-gc");
  collect = runInNewContext("gc") as () => void;
  return collect;
}

/** Frees what can be freed and measures the rest. */
export async function weigh(): Promise<Held> {
  const gc = collector();
  // What a finalizer releases is freed by the next collection.
  for (let i = 0; i < 4; i++) {
    gc();
    await turns(10);
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return {
    heapBytes: heapUsed,
    bufferBytes: arrayBuffers,
    wasmBytes: memories.reduce((sum, memory) => sum + memory.buffer.byteLength, 0),
    handles: process.getActiveResourcesInfo().length,
  };
}

// A leaked connection takes about 5 KiB, so 1,000 of them are far beyond this; the engine's own code
// and caches still grow by half of it.
const SLACK_BYTES = 1_048_576;

/** What grew unexpectedly between two measurements. */
export function growth(before: Held, after: Held): string[] {
  const grown: string[] = [];
  const note = (what: string, by: number, allowed: number): void => {
    if (by > allowed) grown.push(`${what} grew by ${by}, more than ${allowed}`);
  };
  note("the heap", after.heapBytes - before.heapBytes, SLACK_BYTES);
  note("the memory of array buffers", after.bufferBytes - before.bufferBytes, SLACK_BYTES);
  note("the memory of WASM", after.wasmBytes - before.wasmBytes, 0);
  note("the number of active handles", after.handles - before.handles, 0);
  if (after.wasmBytes === 0) grown.push("no WASM memory was seen");
  return grown;
}
