import { defineConfig, type Options } from "tsup";

const base = {
  target: "es2022",
  clean: true,
  sourcemap: true,
  // tsup turns "node:net" into "net" unless told not to, and runtimes other than Node need the prefix.
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
    dts: { compilerOptions: { ignoreDeprecations: "6.0" } },
    ...options,
  });

/** A private program: run by Node, imported by nobody. */
export const program = (options: Options) =>
  defineConfig({ ...base, format: ["esm"], platform: "node", ...options });
