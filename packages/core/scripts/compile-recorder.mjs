// Compiles recorder/recorder.ts. Its two kilobytes are kept beside it as text, so that running from
// the sources needs no compiler, and bundling them no loader; a test holds one against the other.
//
//     node packages/core/scripts/compile-recorder.mjs
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const folder = new URL("../recorder/", import.meta.url);

/** The module's bytes. */
export async function compileRecorder() {
  let compiled;
  const { error, stderr } = await asc.main(
    [
      "recorder.ts",
      // It lives in llhttp's memory and has none of its own: no runtime, no data, no abort.
      ...["--importMemory", "--noExportMemory", "--runtime", "stub", "--use", "abort="],
      ...["-O3", "--converge", "--outFile", "recorder.wasm"],
    ],
    {
      readFile: (name) =>
        name === "recorder.ts" ? readFileSync(new URL(name, folder), "utf8") : null,
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
  const text = Buffer.from(await compileRecorder()).toString("base64");
  writeFileSync(
    new URL("compiled.mjs", folder),
    `// Made from recorder.ts by scripts/compile-recorder.mjs.\nexport const RECORDER =\n  "${text}";\n`,
  );
}
