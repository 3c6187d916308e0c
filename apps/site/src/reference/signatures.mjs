// Declarations as they stand in the source, without bodies and comments.
import ts from "typescript";

const WIDTH = 80;
const { SyntaxKind } = ts;

/** The whole declaration of a name. */
export function declarationOf({ name, kind, declarations }, members, checker) {
  if (kind === "function") {
    return signaturesOf(declarations)
      .map((node) => `function ${signatureOf(node, name, checker)};`)
      .join("\n");
  }
  const [node] = declarations;
  if (kind === "type") return `type ${name}${typeParametersOf(node)} =${aliasOf(node, checker)};`;
  if (kind === "constant") {
    return `const ${name}: ${checker.typeToString(checker.getTypeAtLocation(node), node)};`;
  }
  const heritage = (node.heritageClauses ?? [])
    .map((clause) => ` ${textOf(clause).replace(/\s+/g, " ")}`)
    .join("");
  const lines = members.flatMap((member) => memberText(member, checker).split("\n"));
  const body = lines.length === 0 ? "" : `\n${lines.map((line) => `  ${line}\n`).join("")}`;
  return `${kind} ${name}${typeParametersOf(node)}${heritage} {${body}}`;
}

/** One member of a class or an interface, with its overloads. */
export function memberText({ name, nodes }, checker) {
  return signaturesOf(nodes)
    .map((node) => `${oneOf(node, name, checker)};`)
    .join("\n");
}

function oneOf(node, name, checker) {
  const modifiers = (node.modifiers ?? [])
    .filter(({ kind }) => kind === SyntaxKind.ReadonlyKeyword || kind === SyntaxKind.StaticKeyword)
    .map((modifier) => `${modifier.getText()} `)
    .join("");
  if (ts.isConstructorDeclaration(node)) {
    return `constructor${parametersOf(node, "constructor", checker)}`;
  }
  if (ts.isGetAccessor(node)) return `readonly ${name}: ${returnOf(node, checker)}`;
  if (ts.isMethodDeclaration(node) || ts.isMethodSignature(node)) {
    const mark = node.questionToken === undefined ? "" : "?";
    return modifiers + signatureOf(node, name + mark, checker);
  }
  if (ts.isPropertyDeclaration(node) || ts.isPropertySignature(node)) {
    const mark = node.questionToken === undefined ? "" : "?";
    return `${modifiers}${name}${mark}: ${typeOf(node, checker)}`;
  }
  return dedented(textOf(node).replace(/;$/, ""));
}

/** Overloads without their implementation. */
function signaturesOf(nodes) {
  const overloads = nodes.filter((node) => node.body === undefined || ts.isGetAccessor(node));
  const all = overloads.length > 0 ? overloads : nodes;
  return all.filter((node) => !ts.isSetAccessor(node));
}

function signatureOf(node, name, checker) {
  const head = `${name}${typeParametersOf(node)}`;
  return `${head}${parametersOf(node, head, checker)}: ${returnOf(node, checker)}`;
}

function parametersOf(node, head, checker) {
  const parameters = node.parameters.map((parameter) => parameterOf(parameter, checker));
  const line = `(${parameters.join(", ")})`;
  const isShort = `function ${head}${line}: ${node.type?.getText() ?? ""}`.length <= WIDTH;
  if (parameters.length === 0 || (isShort && !line.includes("\n"))) return line;
  return `(\n${parameters.map((text) => `  ${text.replaceAll("\n", "\n  ")},\n`).join("")})`;
}

// A parameter with a default is optional for the caller; a destructured one is `options`.
function parameterOf(node, checker) {
  const name = ts.isIdentifier(node.name) ? node.name.text : "options";
  const isOptional = node.questionToken !== undefined || node.initializer !== undefined;
  const rest = node.dotDotDotToken === undefined ? "" : "...";
  return `${rest}${name}${isOptional ? "?" : ""}: ${typeOf(node, checker)}`;
}

function typeParametersOf({ typeParameters }) {
  return typeParameters === undefined ? "" : `<${typeParameters.map(textOf).join(", ")}>`;
}

function returnOf(node, checker) {
  if (node.type !== undefined) return dedented(textOf(node.type));
  const signature = checker.getSignatureFromDeclaration(node);
  return checker.typeToString(checker.getReturnTypeOfSignature(signature), node);
}

function typeOf(node, checker) {
  if (node.type !== undefined) return dedented(textOf(node.type));
  return checker.typeToString(checker.getTypeAtLocation(node), node);
}

// An alias of `typeof` a table that is not public says nothing: its meaning is written out.
function aliasOf({ type, name }, checker) {
  const text = dedented(textOf(type));
  if (!/\btypeof [A-Z]/.test(text)) {
    return text.startsWith("|") ? `\n  ${text.replaceAll("\n", "\n  ")}` : ` ${text}`;
  }
  const meant = checker.getTypeAtLocation(name);
  if (meant.isUnion()) {
    return meant.types.map((one) => `\n  | ${checker.typeToString(one)}`).join("");
  }
  const members = meant.getProperties().map((property) => {
    const of = checker.getTypeOfSymbol(property);
    return `  readonly ${property.name}?: ${checker.typeToString(of)};\n`;
  });
  return ` {\n${members.join("")}}`;
}

function textOf(node) {
  return node.getText();
}

// The lines after the first stand as deep as the last one, which closes what the first opens.
function dedented(text) {
  const [first, ...lines] = text.split("\n");
  const depths = lines
    .filter((line) => line.trim() !== "")
    .map((line) => /^ */.exec(line)[0].length);
  const depth = Math.min(...depths);
  return [first, ...lines.map((line) => line.slice(depth))].join("\n");
}
