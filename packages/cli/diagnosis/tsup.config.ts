import { program } from "../../../tsup.base.ts";

// Bundles the sources of this checkout, so that they are what is tried.
export default program({
  entry: ["diagnosis/main.ts"],
  outDir: "node_modules/.diagnosis",
  noExternal: [/^@upgrade\//],
  esbuildOptions(options) {
    options.conditions = ["@upgrade/source"];
  },
});
