// The tables of the core, loaded from its TypeScript: nothing has to be built, and Node 20 reads no
// TypeScript by itself. What the tables import is their own row of the core, hence no wasm.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { root } from "./markdown.mjs";

export async function loadTables() {
  const out = mkdtempSync(join(tmpdir(), "upgrade-docs-"));
  try {
    writeFileSync(join(out, "package.json"), '{ "type": "module" }');
    for (const folder of ["", "state/"]) transpile(folder, out);
    const load = (file) => import(pathToFileURL(join(out, file)).href);
    const [{ CODES }, { BOUNDS }, { STATES }, { MOVES }, { COUPLINGS }] = await Promise.all([
      load("codes.js"),
      load("limits.js"),
      load("state/states.js"),
      load("state/moves.js"),
      load("state/couplings.js"),
    ]);
    return { CODES, BOUNDS, STATES, MOVES, COUPLINGS };
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function transpile(folder, out) {
  const source = new URL(`packages/core/src/${folder}`, root);
  mkdirSync(join(out, folder), { recursive: true });
  for (const name of readdirSync(source)) {
    if (!name.endsWith(".ts") || name.endsWith(".test.ts")) continue;
    const { outputText } = ts.transpileModule(readFileSync(new URL(name, source), "utf8"), {
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        verbatimModuleSyntax: true,
        rewriteRelativeImportExtensions: true,
      },
    });
    writeFileSync(join(out, folder, name.replace(/\.ts$/, ".js")), outputText);
  }
}
