import { program } from "../../tsup.base.ts";

export default program({
  entry: ["main.ts", "child.ts", "start-program.ts"],
  splitting: true,
  // Measures the installed packages, as they were built.
  skipNodeModulesBundle: true,
});
