// The public members of a class or an interface.
import ts from "typescript";
import { commentOf } from "./comments.mjs";

const HIDDEN = new Set([ts.SyntaxKind.PrivateKeyword, ts.SyntaxKind.ProtectedKeyword]);

/** `{ name, nodes, comment }` of each, in the order of the source, overloads together. */
export function membersOf({ kind, declarations }, link) {
  if (kind !== "class" && kind !== "interface") return [];
  const found = new Map();
  for (const node of declarations.flatMap((declaration) => [...declaration.members])) {
    if (!isPublic(node)) continue;
    const name = nameOf(node);
    const member = found.get(name) ?? { name, nodes: [] };
    member.nodes.push(node);
    found.set(name, member);
  }
  return [...found.values()].map((member) => ({
    ...member,
    comment: commentOf(documented(member.nodes), link),
  }));
}

/** The members that an interface or a class has from another type: `{ from, names }`. */
export function inheritedOf({ symbol, kind, declarations }, checker) {
  if (kind !== "class" && kind !== "interface") return [];
  const groups = new Map();
  for (const property of checker.getDeclaredTypeOfSymbol(symbol).getProperties()) {
    const [node] = property.declarations ?? [];
    const from = ownerOf(property, declarations, checker);
    if (from === undefined || from === symbol || !isPublic(node)) continue;
    groups.set(from, [...(groups.get(from) ?? []), property.name]);
  }
  return [...groups].map(([from, names]) => ({ from, names }));
}

// The class or interface that declares it; else the alias by which it was inherited.
function ownerOf({ name, declarations: [node] }, heirs, checker) {
  const { parent } = node;
  if (ts.isInterfaceDeclaration(parent) || ts.isClassDeclaration(parent)) {
    return checker.getSymbolAtLocation(parent.name);
  }
  const bases = heirs.flatMap(({ heritageClauses = [] }) =>
    heritageClauses.flatMap(({ types }) => [...types]),
  );
  const base = bases.find((one) => checker.getTypeAtLocation(one).getProperty(name) !== undefined);
  if (base === undefined) return undefined;
  const symbol = resolved(checker.getSymbolAtLocation(base.expression), checker);
  const isAlias = symbol.declarations.some(ts.isTypeAliasDeclaration);
  return isAlias ? symbol : ownerOf({ name, declarations: [node] }, symbol.declarations, checker);
}

function resolved(symbol, checker) {
  return symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

function documented(nodes) {
  return nodes.find((node) => ts.getJSDocCommentsAndTags(node).length > 0) ?? nodes[0];
}

function isPublic(node) {
  if (ts.isClassStaticBlockDeclaration(node) || ts.isSemicolonClassElement(node)) return false;
  if (node.name !== undefined && ts.isPrivateIdentifier(node.name)) return false;
  if (commentOf(node, String).isInternal) return false;
  return !(node.modifiers ?? []).some(({ kind }) => HIDDEN.has(kind));
}

function nameOf(node) {
  if (ts.isConstructorDeclaration(node)) return "constructor";
  if (node.name !== undefined) return node.name.getText();
  return ts.isIndexSignatureDeclaration(node) ? "[name]" : "call";
}
