/**
 * llhttp as a `WebAssembly.Module`. The type says `object`, because the core is compiled without
 * the types of any platform. Nothing is compiled before the first call, and then only once.
 */
export function compileLlhttp(): object;
