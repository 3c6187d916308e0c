import { program } from "../../../tsup.base.ts";

// Bundles the sources of this checkout, or of a copy of the packages with a fault.
const packages = process.env.UPGRADE_PACKAGES;

export default program({
  entry: ["fuzz/main.ts", "fuzz/differential.ts"],
  outDir: process.env.UPGRADE_FUZZ_OUT ?? "dist/fuzz",
  noExternal: [/^@upgrade\//],
  esbuildOptions(options) {
    options.conditions = ["@upgrade/source"];
    if (packages === undefined) return;
    options.alias = {
      "@upgrade/core": `${packages}/core/src/index.ts`,
      "@upgrade/core/io": `${packages}/core/src/io.ts`,
      "@upgrade/websocket": `${packages}/websocket/src/index.ts`,
    };
  },
});
