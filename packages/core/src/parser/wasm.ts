// bytes → [WebAssembly] → head parser: the part of the platform used here

import { LocalProtocolError } from "../base/errors.ts";

// Declared here, since no DOM and no Node types are loaded.
interface Wasm {
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

/**
 * Instantiates the module that `compile` returns. The caller knows its exports.
 *
 * @throws {LocalProtocolError} `NO_WEBASSEMBLY`: the platform lacks it, or does not allow it.
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
