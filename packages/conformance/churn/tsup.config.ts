import { program } from "../../../tsup.base.ts";

// From the sources of this checkout: what is weighed is what is here.
export default program({
  entry: ["churn/main.ts"],
  outDir: "dist/churn",
  noExternal: [/^@upgrade\//],
  esbuildOptions(options) {
    options.conditions = ["@upgrade/source"];
  },
});
