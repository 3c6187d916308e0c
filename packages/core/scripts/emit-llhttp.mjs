// Puts llhttp into dist, in one form per kind of runtime; "imports" in package.json choose among them.
// The npm package `llhttp` is years old, so the parser comes from undici, which ships llhttp's own build.
import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";

const LLHTTP = {
  version: "9.3.1",
  sha256: "ab4573a06c43574936dc98c3943b10a4ee32798e9797329e9f327e5f64115f54",
};

const require = createRequire(import.meta.url);
const wasm = require("undici/lib/llhttp/llhttp-wasm.js");

// A new undici may bring a new grammar: that is a decision, never a side effect of an update.
const sha256 = createHash("sha256").update(wasm).digest("hex");
if (sha256 !== LLHTTP.sha256) {
  throw new Error(
    `undici carries an llhttp with the sha256 ${sha256}, but this is ${LLHTTP.version}'s: ${LLHTTP.sha256}`,
  );
}

const dist = new URL("../dist/", import.meta.url);
const emit = (name, content) => writeFileSync(new URL(name, dist), content);

// `atob` and a loop: in every runtime since Node 16, and much faster than Uint8Array.from.
const inline = (exported) => `// llhttp ${LLHTTP.version}, see LICENSE-llhttp
const base64 = "${Buffer.from(wasm).toString("base64")}";

let compiled;

${exported} compileLlhttp() {
  if (compiled === undefined) {
    const text = atob(base64);
    const bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
    compiled = new WebAssembly.Module(bytes);
  }
  return compiled;
}
`;

mkdirSync(dist, { recursive: true });
emit("llhttp.wasm", wasm);
emit("llhttp.inline.js", inline("export function"));
emit("llhttp.inline.cjs", `"use strict";\n${inline("exports.compileLlhttp = function")}`);
// workerd forbids compiling bytes at run time, but compiles a .wasm file that is imported.
emit(
  "llhttp.workerd.js",
  `import compiled from "./llhttp.wasm";\n\nexport const compileLlhttp = () => compiled;\n`,
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
