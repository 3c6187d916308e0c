import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, isAbsolute, relative, resolve } from "node:path";
import { defineConfig, type Options } from "tsup";

const base = {
  target: "es2022",
  clean: true,
  sourcemap: true,
  // By default tsup turns "node:net" into "net", and runtimes other than Node need the prefix.
  removeNodeProtocol: false,
} satisfies Options;

/** A published package: both module systems, with types for each. */
export const library = (options: Options) =>
  defineConfig({
    ...base,
    format: ["esm", "cjs"],
    // Entries share their chunks, so that a class is the same class from every entry.
    splitting: true,
    // tsup sets baseUrl, which TypeScript 6 reports as deprecated.
    // Omits what is marked @internal from the declarations.
    dts: {
      compilerOptions: { ignoreDeprecations: "6.0", stripInternal: true },
      // Symbol.asyncDispose, for users who have neither this lib nor Node's types.
      banner: '/// <reference lib="esnext.disposable" />',
    },
    onSuccess: hideBuildPath,
    ...options,
  });

/** A private program: run by Node, never imported. */
export const program = (options: Options) =>
  defineConfig({ ...base, format: ["esm"], platform: "node", ...options });

/** A script of a page, beside the program that serves it. */
export const page = (options: Options) =>
  defineConfig({
    ...base,
    // Built at the same time as the program, into the same folder.
    clean: false,
    format: ["iife"],
    platform: "browser",
    sourcemap: false,
    outExtension: () => ({ js: ".js" }),
    ...options,
  });

// tsup's source maps for CommonJS name a file by its path on the machine that builds.
async function hideBuildPath(): Promise<void> {
  const maps = readdirSync("dist", { recursive: true, encoding: "utf8" });
  for (const name of maps.filter((file) => file.endsWith(".map"))) {
    const file = resolve("dist", name);
    const map = JSON.parse(readFileSync(file, "utf8")) as { file?: string; sources: string[] };
    if (map.file !== undefined) map.file = basename(map.file);
    map.sources = map.sources.map((source) =>
      isAbsolute(source) ? relative(resolve(file, ".."), source).replaceAll("\\", "/") : source,
    );
    writeFileSync(file, JSON.stringify(map));
  }
}
