// Lets plain Node run the sources: strips the types from each file as it is loaded.
import { readFileSync } from "node:fs";
import module from "node:module";
import { fileURLToPath } from "node:url";
import { isMainThread } from "node:worker_threads";

const require = module.createRequire(import.meta.url);

// Node 26 deprecates the older API, and Node 20 has only that.
if (module.registerHooks !== undefined) module.registerHooks({ load });
else if (isMainThread) module.register(import.meta.url);

/** What is loaded for `url`. The older hooks call this in a separate thread. */
export function load(url, context, next) {
  if (!url.endsWith(".ts")) return next(url, context);
  const typescript = require("typescript");
  const { outputText } = typescript.transpileModule(readFileSync(fileURLToPath(url), "utf8"), {
    compilerOptions: {
      module: typescript.ModuleKind.ESNext,
      target: typescript.ScriptTarget.ES2022,
      verbatimModuleSyntax: true,
    },
  });
  return { format: "module", shortCircuit: true, source: outputText };
}
