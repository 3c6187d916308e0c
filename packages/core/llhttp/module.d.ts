/**
 * llhttp as a `WebAssembly.Module`, and the scanner beside it. The types say `object`, because the
 * core is compiled without the types of any platform. Nothing is compiled before it is asked for.
 */
export function compileLlhttp(): object;
export function compileScanner(): object;
