// Puts llhttp and the scanner into dist, in one form per kind of runtime; "imports" in package.json
// chooses between them. The npm package `llhttp` is years old, so the parser comes from undici, which
// ships llhttp's own builds. This is the SIMD build, which every runtime has supported since 2023.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { SCANNER } from "../wasm/scanner/compiled.mjs";

const LLHTTP = {
  version: "9.3.1",
  sha256: "18403ee56fab07f89a845028bad358bb3ebcda213f8e2ec0989a991e9c33da69",
};

const require = createRequire(import.meta.url);
const wasm = require("undici/lib/llhttp/llhttp_simd-wasm.js");
const scanner = Buffer.from(SCANNER, "base64");

// A new undici may have a new grammar: adopting it is a decision, not a side effect of an update.
const sha256 = createHash("sha256").update(wasm).digest("hex");
if (sha256 !== LLHTTP.sha256) {
  throw new Error(
    `the llhttp of undici has the sha256 ${sha256}, but that of ${LLHTTP.version} is ${LLHTTP.sha256}`,
  );
}

const dist = new URL("../dist/", import.meta.url);
const emit = (name, content) => writeFileSync(new URL(name, dist), content);

// Node's own decoder if there is one: a cold loop takes half a millisecond. Otherwise `atob`, which
// every runtime has, and a loop, which is much faster than Uint8Array.from.
const inline = (
  exporting,
) => `/*! llhttp ${LLHTTP.version}, MIT, Copyright Fedor Indutny, 2018: see LICENSE-llhttp */
const llhttp = "${wasm.toString("base64")}";

const scanner = "${scanner.toString("base64")}";

function compile(base64) {
  return new WebAssembly.Module(globalThis.Buffer?.from(base64, "base64") ?? decoded(base64));
}

function decoded(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

${exporting("compileLlhttp")} = () => compile(llhttp);

${exporting("compileScanner")} = () => compile(scanner);
`;

mkdirSync(dist, { recursive: true });
emit("llhttp.wasm", wasm);
emit("scanner.wasm", scanner);
emit(
  "llhttp.inline.js",
  inline((name) => `export const ${name}`),
);
emit("llhttp.inline.cjs", `"use strict";\n${inline((name) => `exports.${name}`)}`);
// workerd forbids compiling bytes at run time, but compiles a .wasm file that is imported.
emit(
  "llhttp.workerd.js",
  `import llhttp from "./llhttp.wasm";
import scanner from "./scanner.wasm";

export const compileLlhttp = () => llhttp;

export const compileScanner = () => scanner;
`,
);
emit(
  "LICENSE-llhttp",
  `llhttp ${LLHTTP.version} is inside llhttp.wasm and the llhttp.inline files.

This software is licensed under the MIT License.

Copyright Fedor Indutny, 2018.

Permission is hereby granted, free of charge, to any person obtaining a
copy of this software and associated documentation files (the
"Software"), to deal in the Software without restriction, including
without limitation the rights to use, copy, modify, merge, publish,
distribute, sublicense, and/or sell copies of the Software, and to permit
persons to whom the Software is furnished to do so, subject to the
following conditions:

The above copyright notice and this permission notice shall be included
in all copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS
OR IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF
MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN
NO EVENT SHALL THE AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM,
DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR
OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE
USE OR OTHER DEALINGS IN THE SOFTWARE.
`,
);
