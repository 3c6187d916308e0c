// Part of a package's build: makes "go to definition" open the source. The tool that bundles the
// declarations writes no maps; this makes them by matching names.

import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { addMapping, GenMapping, toEncodedMap } from "@jridgewell/gen-mapping";
import ts from "typescript";

function filesIn(folder, pattern) {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => pattern.test(name) && !name.endsWith(".test.ts"))
    .map((name) => join(folder, name));
}

/** Calls `found` with each name that a file declares, such as `Headers` and `Headers.get`. */
function visitNames(file, found) {
  const text = readFileSync(file, "utf8");
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest);
  const visit = (node, owner) => {
    if (ts.isVariableStatement(node)) {
      for (const one of node.declarationList.declarations) visit(one, owner);
      return;
    }
    if (node.name === undefined || !ts.isIdentifier(node.name)) return;
    // The bundler appends a number to a duplicate name.
    const name = owner + node.name.text.replace(/\$\d+$/, "");
    const at = source.getLineAndCharacterOfPosition(node.name.getStart(source));
    const isExported = (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Export) !== 0;
    found(name, { file, line: at.line + 1, column: at.character, isExported });
    for (const member of node.members ?? []) visit(member, `${name}.`);
  };
  for (const statement of source.statements) visit(statement, "");
  return text;
}

const places = new Map();
for (const file of filesIn("src", /\.ts$/)) {
  visitNames(file, (name, place) => {
    // Of several overloads, take the first.
    const known = places.get(name);
    if (known === undefined || (place.isExported && !known.isExported)) places.set(name, place);
  });
}

for (const file of filesIn("dist", /\.d\.c?ts$/)) {
  const map = new GenMapping({ file: basename(file) });
  const text = visitNames(file, (name, generated) => {
    const place = places.get(name);
    if (place === undefined) return;
    const source = relative(dirname(file), place.file).replaceAll("\\", "/");
    const { line, column } = place;
    addMapping(map, { generated, original: { line, column }, source });
  });
  writeFileSync(`${file}.map`, JSON.stringify(toEncodedMap(map)));
  const link = `//# sourceMappingURL=${basename(file)}.map\n`;
  if (!text.endsWith(link)) writeFileSync(file, `${text.trimEnd()}\n${link}`);
}
