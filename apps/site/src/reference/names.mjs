// Every public name of the packages, as TypeScript sees them: what it is, and who exports it.

import { fileURLToPath } from "node:url";
import ts from "typescript";
import { ENTRIES, root } from "../places.mjs";

const { SyntaxKind } = ts;
/** What a declaration is called in the reference, in the order of the reference. */
const KINDS = new Map([
  [SyntaxKind.FunctionDeclaration, "function"],
  [SyntaxKind.ClassDeclaration, "class"],
  [SyntaxKind.InterfaceDeclaration, "interface"],
  [SyntaxKind.TypeAliasDeclaration, "type"],
  [SyntaxKind.VariableDeclaration, "constant"],
]);

/**
 * `{ names, checker }`. A name has `name`, `kind`, its `symbol` and `declarations`, the `entries`
 * that export it, and its `path` on the site: below the first of them.
 */
export function readNames() {
  const program = ts.createProgram(
    ENTRIES.map(({ file }) => root + file),
    compilerOptions(),
  );
  const checker = program.getTypeChecker();
  const found = new Map();
  for (const entry of ENTRIES) {
    const file = program.getSourceFile(root + entry.file);
    for (const symbol of checker.getExportsOfModule(checker.getSymbolAtLocation(file))) {
      const meant = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
      const known = found.get(meant);
      if (known === undefined) found.set(meant, nameOf(meant, symbol.name, entry));
      else known.entries.push(entry);
    }
  }
  const names = [...found.values()].sort(byKind);
  separate(names);
  return { names, checker };
}

// Files whose names differ only in case are one file on some systems.
function separate(names) {
  const taken = new Set();
  for (const name of names) {
    if (taken.has(name.path.toLowerCase())) name.path += `-${name.kind}`;
    taken.add(name.path.toLowerCase());
  }
}

function nameOf(symbol, name, entry) {
  const declarations = symbol.declarations.filter(({ kind }) => KINDS.has(kind));
  if (declarations.length === 0) throw new Error(`${name}: what is it?`);
  const kind = KINDS.get(declarations[0].kind);
  return {
    name,
    kind,
    symbol,
    declarations,
    entries: [entry],
    path: `reference/${entry.page}/${name}`,
  };
}

const ORDER = [...KINDS.values()];
function byKind(a, b) {
  return ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || a.name.localeCompare(b.name, "en");
}

function compilerOptions() {
  const { config } = ts.readConfigFile(`${root}tsconfig.base.json`, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, root);
  return {
    ...options,
    lib: ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts"],
    types: ["node"],
    typeRoots: [fileURLToPath(new URL("node_modules/@types", `file://${root}`))],
  };
}
