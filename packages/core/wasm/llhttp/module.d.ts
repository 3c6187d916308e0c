/**
 * llhttp and the scanner as `WebAssembly.Module`s. The type is `object`, because the core is compiled
 * without the types of any platform. Each is compiled only when its function is called.
 */
export function compileLlhttp(): object;
export function compileScanner(): object;
