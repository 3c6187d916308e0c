import { library } from "../../tsup.base.ts";

export default library({
  entry: ["src/index.ts", "src/io.ts", "src/testing/index.ts"],
  // Which file this is depends on the runtime; the "imports" of package.json decide.
  external: ["#llhttp"],
});
