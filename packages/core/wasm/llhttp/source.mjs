// "#llhttp" when the packages run from their sources: no build has put the parser into dist yet, so
// it comes straight from the package that the build takes it from.
import { createRequire } from "node:module";
import { SCANNER } from "../scanner/compiled.mjs";

const require = createRequire(import.meta.url);

export const compileLlhttp = () =>
  new WebAssembly.Module(require("undici/lib/llhttp/llhttp_simd-wasm.js"));

export const compileScanner = () => new WebAssembly.Module(Buffer.from(SCANNER, "base64"));
