// bytes → [WebAssembly] → head parser: what core knows of the platform here

// No DOM and no Node types are loaded.
interface Wasm {
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown };
}

/** The exports of `module`, which the caller knows. */
export function instantiate<Exports>(module: object, imports: object): Exports {
  const { Instance } = (globalThis as unknown as { WebAssembly: Wasm }).WebAssembly;
  return new Instance(module, imports).exports as Exports;
}
