// Compiles wasm/scanner/scanner.ts. The result, four kilobytes, is kept next to it as text, so that
// running from the sources needs no compiler, and bundling no loader. A test compares the two.
//
//     node packages/core/scripts/compile-scanner.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const SOURCES = ["scanner.ts", "octets.ts", "../../src/parser/tape-layout.ts"];
const folder = new URL("../wasm/scanner/", import.meta.url);

/** The bytes of the module. */
export async function compileScanner() {
  let compiled;
  const { error, stderr } = await asc.main(
    [
      "scanner.ts",
      // No runtime, no abort, and enough memory for the tape and the longest head.
      ...["--runtime", "stub", "--use", "abort=", "--initialMemory", "2", "--maximumMemory", "2"],
      ...["-O3", "--converge", "--enable", "simd", "--outFile", "scanner.wasm"],
    ],
    {
      readFile: (name) =>
        SOURCES.includes(name) ? readFileSync(new URL(name, folder), "utf8") : null,
      writeFile: (_, bytes) => {
        compiled = bytes;
      },
      listFiles: () => [],
    },
  );
  if (error !== null) throw new Error(`${error.message}\n${stderr.toString()}`);
  return compiled;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const text = Buffer.from(await compileScanner()).toString("base64");
  writeFileSync(
    new URL("compiled.mjs", folder),
    `// Made from scanner.ts by scripts/compile-scanner.mjs.\nexport const SCANNER =\n  "${text}";\n`,
  );
}
