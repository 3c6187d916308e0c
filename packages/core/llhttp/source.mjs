// What "#llhttp" means when the packages run from their sources: no build has put the parser
// into dist yet, so it comes straight from the package that the build takes it from.
import { createRequire } from "node:module";

let compiled;

export function compileLlhttp() {
  if (compiled === undefined) {
    const require = createRequire(import.meta.url);
    compiled = new WebAssembly.Module(require("undici/lib/llhttp/llhttp-wasm.js"));
  }
  return compiled;
}
