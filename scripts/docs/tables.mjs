// Loads the tables of core and conformance from their TypeScript sources, without a build; Node 20
// cannot load TypeScript itself. Core's tables import only their own layer, so no wasm is loaded.
// The reason for a row is a comment above it, so that it is not loaded at run time.
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import ts from "typescript";
import { root } from "./markdown.mjs";

export function loadTables() {
  return loaded("packages/core/src/", ["base/", "state/", "lifecycle/"], async (load) => {
    const [codes, { resolveLimits, UNBOUNDED }, { STATES }, { MOVES }, { COUPLINGS }] =
      await Promise.all([
        load("base/codes.js"),
        load("base/limits.js"),
        load("state/states.js"),
        load("state/moves.js"),
        load("state/couplings.js"),
      ]);
    const { PHASES } = await load("lifecycle/phases.js");
    const lifecycle = await load("lifecycle/moves.js");
    const reasons = remarksIn("base/limits.ts", "DEFAULTS");
    const meanings = remarksIn("state/states.ts", "STATES");
    const causes = remarksIn("state/couplings.ts", "COUPLINGS", { areShared: true });
    const withRemarks = (values, path, name) => {
      const remarks = remarksIn(path, name);
      return values.map((value, i) => [value, remarks[i]]);
    };
    return {
      codes,
      limits: Object.entries(resolveLimits()).map(([name, value], i) => [name, value, reasons[i]]),
      unbounded: UNBOUNDED,
      states: STATES.map((state, i) => [state, meanings[i]]),
      moves: MOVES,
      couplings: COUPLINGS.map((coupling, i) => ({ ...coupling, because: causes[i] })),
      lifecycle: {
        phases: withRemarks(PHASES, "lifecycle/phases.ts", "PHASES"),
        causes: withRemarks(lifecycle.CAUSES, "lifecycle/moves.ts", "CAUSES"),
        effects: withRemarks(lifecycle.EFFECTS, "lifecycle/moves.ts", "EFFECTS"),
        moves: withRemarks(lifecycle.MOVES, "lifecycle/moves.ts", "MOVES"),
      },
    };
  });
}

/** The comment above each row of a table of core; if shared, one comment covers the rows below it. */
function remarksIn(path, name, { areShared = false } = {}) {
  const text = readFileSync(new URL(`packages/core/src/${path}`, root), "utf8");
  const { statements } = ts.createSourceFile(path, text, ts.ScriptTarget.ES2022);
  const declared = statements.flatMap((one) => one.declarationList?.declarations ?? []);
  let table = declared.find((one) => one.name.text === name).initializer;
  while (table.expression !== undefined) table = table.expression;
  let remark;
  return (table.properties ?? table.elements).map((row) => {
    const above = ts.getLeadingCommentRanges(text, row.pos)?.at(-1);
    if (above !== undefined) {
      remark = text.slice(above.pos, above.end).replace(/^\/\*\* | \*\/$|^\/\/ /g, "");
    } else if (!areShared || remark === undefined) {
      throw new Error(`${path}: ${text.slice(row.pos, row.end).trim()} has no reason`);
    }
    return remark;
  });
}

/** The verdicts of the command line. */
export function loadVerdicts() {
  return loaded("packages/cli/src/", ["", "verdicts/"], async (load) => ({
    ...(await load("verdicts/verdicts.js")),
    ...(await load("exit-codes.js")),
  }));
}

/** The rules of the RFCs, the results of hyper and other parsers' tests, and their proofs. */
export function loadRequirements() {
  return loaded("packages/conformance/requirements/", [""], async (load) => ({
    ...(await load("rows.js")),
    ...(await load("proofs.js")),
    ...(await load("hyper.js")),
    ...(await load("hyper-proofs.js")),
    ...(await load("corpora.js")),
    ...(await load("disagreements.js")),
    ...(await load("corpora-proofs.js")),
  }));
}

/** Where the core and other parsers read the same bytes differently, and why. */
export function loadDifferences() {
  return loaded("packages/conformance/fuzz/", [""], async (load) => ({
    ...(await load("known.js")),
    ...(await load("explained.js")),
  }));
}

async function loaded(source, folders, take) {
  const out = mkdtempSync(join(tmpdir(), "upgrade-docs-"));
  try {
    writeFileSync(join(out, "package.json"), '{ "type": "module" }');
    for (const folder of folders) transpile(source, folder, out);
    return await take((file) => import(pathToFileURL(join(out, file)).href));
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
}

function transpile(path, folder, out) {
  const source = new URL(`${path}${folder}`, root);
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
