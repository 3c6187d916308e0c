// size: all exports of client or server, with core, bundled, minified and gzipped.
// Once as our own code, without llhttp's WebAssembly, and once with it, as installed.
// The control is undici, which also includes llhttp, with only its Client and the API of that.

import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { ValueBenchmark } from "../src/benchmark.ts";

const resolveDir = fileURLToPath(new URL(".", import.meta.url));

function gzippedBytes(names: string[], external: string[]): () => Promise<number> {
  const contents = names.map((name) => `export * from "${name}";`).join("");
  return async () => {
    const { outputFiles } = await build({
      stdin: { contents, resolveDir },
      bundle: true,
      minify: true,
      format: "esm",
      platform: "node",
      target: "es2022",
      external,
      write: false,
    });
    return gzipSync(outputFiles[0]!.contents, { level: 9 }).length;
  };
}

const WASM = "#llhttp";
const UNDICI = ["undici/lib/dispatcher/client.js", "undici/lib/api/index.js"];
const common = {
  kind: "value",
  unit: "bytes",
  higherIsBetter: false,
  isConstant: true,
} as const;

export const benchmarks: ValueBenchmark[] = ["client", "server"].flatMap((side) => [
  {
    ...common,
    name: `size/${side}`,
    contestants: { ours: gzippedBytes([`@upgrade/${side}`], [WASM]) },
  },
  {
    ...common,
    name: `size/${side}+wasm`,
    contestants: {
      ours: gzippedBytes([`@upgrade/${side}`], []),
      ...(side === "client" ? { undici: gzippedBytes(UNDICI, []) } : {}),
    },
  },
]);
