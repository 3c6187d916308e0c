import { program } from "../../../tsup.base.ts";

// Bundles the sources of this checkout, so that they are what is measured.
export default program({
  entry: ["churn/main.ts"],
  outDir: "dist/churn",
  noExternal: [/^@upgrade\//],
  esbuildOptions(options) {
    options.conditions = ["@upgrade/source"];
  },
});
