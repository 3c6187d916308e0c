// Type-checks every ```ts block against the sources, in pages and in the @example of doc comments.
// An @example without a fence is incomplete and not checked.
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { sourceFiles } from "./glossary.mjs";
import { fencedBlocks, read, root } from "./markdown.mjs";

// From here the packages, and the ones the guides use, can be imported.
const HOME = "packages/conformance/.snippets/";

export function checkSnippets(markdown) {
  const blocks = markdown.flatMap((file) =>
    fencedBlocks(read(file), "ts").map((block) => ({ file, ...block })),
  );
  const examples = sourceFiles().flatMap((file) =>
    examplesIn(file, read(file)).map((example) => ({ file, ...example })),
  );
  const faults = typeCheck([...blocks, ...examples]);
  return { faults, blocks: blocks.length, examples: examples.length };
}

// An example shows neither the import of its own package nor of node:net.
function examplesIn(file, text) {
  const [, name] = /^packages\/(\w+)\//.exec(file);
  const pattern = /^ *\* @example\n *\* ```ts\n((?: *\*(?! ```).*\n)+) *\* ```$/gm;
  return [...text.matchAll(pattern)].map(({ index, 1: body }) => {
    const code = body.replace(/^ *\* ?/gm, "");
    const used = exportsOf(name).filter((word) => new RegExp(`\\b${word}\\b`).test(code));
    const given = `import net from "node:net";\nimport { ${used} } from "@upgrade/${name}";\n`;
    return { code, given, line: text.slice(0, index).split("\n").length + 2 };
  });
}

function exportsOf(name) {
  const lists = read(`packages/${name}/src/index.ts`).matchAll(/^export \{(.*?)\}/gms);
  const words = [...lists].flatMap(([, list]) => list.split(",").map((word) => word.trim()));
  return words.filter((word) => /^\w+$/.test(word));
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

// Each block is a module of its own, after its given code.
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
    // A page may declare a name and leave its use to the reader.
    noUnusedLocals: false,
    noUnusedParameters: false,
    // A service returns nothing after a switch.
    noImplicitReturns: false,
  };
}
