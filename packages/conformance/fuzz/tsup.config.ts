import { program } from "../../../tsup.base.ts";

// Bundles the sources of this checkout, or of a copy of the core with a fault.
const core = process.env.UPGRADE_CORE;

export default program({
  entry: ["fuzz/main.ts", "fuzz/differential.ts"],
  outDir: process.env.UPGRADE_FUZZ_OUT ?? "dist/fuzz",
  noExternal: [/^@upgrade\//],
  esbuildOptions(options) {
    options.conditions = ["@upgrade/source"];
    if (core !== undefined) options.alias = { "@upgrade/core": `${core}/src/index.ts` };
  },
});
