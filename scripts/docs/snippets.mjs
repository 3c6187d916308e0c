// Every ```ts block of the pages, and every @example that begins with an import, is type-checked
// against the sources: an example that does not compile is a lie.
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { sourceFiles } from "./glossary.mjs";
import { fencedBlocks, read, root } from "./markdown.mjs";

// Where the packages, and those the guides use them with, can be imported from.
const HOME = "packages/conformance/.snippets/";

export function checkSnippets(markdown) {
  const blocks = markdown.flatMap((file) =>
    fencedBlocks(read(file), "ts").map((block) => ({ file, ...block })),
  );
  const examples = sourceFiles().flatMap((file) =>
    completeExamples(read(file)).map((example) => ({ file, ...example })),
  );
  const faults = typeCheck([...blocks, ...examples]);
  return { faults, blocks: blocks.length, examples: examples.length };
}

function completeExamples(text) {
  const examples = [];
  for (const { index, 1: body } of text.matchAll(/^ *\* @example\n((?: *\*(?!\/).*\n)+)/gm)) {
    const [first = ""] = body.split(/^ *\* @/m);
    const code = first.replace(/^ *\* ?/gm, "");
    if (!code.startsWith("import ")) continue;
    examples.push({ code, given: "", line: text.slice(0, index).split("\n").length + 1 });
  }
  return examples;
}

function typeCheck(blocks) {
  const home = fileURLToPath(new URL(HOME, root)).replaceAll("\\", "/");
  const snippets = new Map(blocks.map((block, i) => [`${home}${i}.ts`, block]));
  const options = compilerOptions();
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (name) => snippets.has(name) || fileExists(name);
  host.readFile = (name) => textOf(snippets.get(name)) ?? readFile(name);
  host.getSourceFile = (name, ...rest) => {
    const text = textOf(snippets.get(name));
    if (text === undefined) return getSourceFile(name, ...rest);
    return ts.createSourceFile(name, text, options.target, true);
  };
  const program = ts.createProgram([...snippets.keys()], options, host);
  return [...snippets].flatMap(([name, block]) => {
    const file = program.getSourceFile(name);
    const found = [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ];
    return found.map((diagnostic) => faultOf(diagnostic, block));
  });
}

// Each is a module of its own, with what the page has given in front.
function textOf(block) {
  return block === undefined ? undefined : `${block.given}${block.code}\nexport {};\n`;
}

function faultOf(diagnostic, { file, line, given }) {
  const { line: at } = ts.getLineAndCharacterOfPosition(diagnostic.file, diagnostic.start);
  const inCode = at - (given.split("\n").length - 1);
  const message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n  ");
  return `${file}:${line + Math.max(inCode, 0)}: ${message}`;
}

function compilerOptions() {
  const base = fileURLToPath(new URL("tsconfig.base.json", root));
  const { config } = ts.readConfigFile(base, ts.sys.readFile);
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, fileURLToPath(root));
  return {
    ...options,
    lib: ["lib.es2022.d.ts", "lib.esnext.disposable.d.ts"],
    types: ["node"],
    typeRoots: [fileURLToPath(new URL("node_modules/@types", root))],
    // A page shows a name and leaves its use to the reader.
    noUnusedLocals: false,
    noUnusedParameters: false,
    // A service that has switched returns nothing.
    noImplicitReturns: false,
  };
}
