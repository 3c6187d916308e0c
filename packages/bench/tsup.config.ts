import { program } from "../../tsup.base.ts";

export default program({
  entry: ["main.ts", "child.ts", "start-program.ts"],
  splitting: true,
  // What is measured is what is installed, as it was built.
  skipNodeModulesBundle: true,
});
