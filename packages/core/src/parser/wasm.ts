// bytes → [WebAssembly] → head parser: what core knows of the platform here

import { LocalProtocolError } from "../errors.ts";

// No DOM and no Node types are loaded.
interface Wasm {
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

/**
 * The exports of what `compile` compiles, which the caller knows.
 *
 * @throws {LocalProtocolError} `NO_WEBASSEMBLY`: the platform does not have it, or does not allow it.
 */
export function instantiate<Exports>(compile: () => object, imports: object): Exports {
  try {
    const module = compile();
    const { Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
    return new Instance(module, imports).exports as Exports;
  } catch (cause) {
    throw new LocalProtocolError("NO_WEBASSEMBLY", String(cause), { cause });
  }
}
