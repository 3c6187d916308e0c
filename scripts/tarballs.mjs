#!/usr/bin/env node
// Tests the packages as users install them: node scripts/tarballs.mjs <tarball>...
// Installs the tarballs in an empty project with npm, runs the README's example as ESM and as CommonJS
// and that of the guide to protocols, and compiles both under both module resolutions.
import { fork, spawnSync } from "node:child_process";
import { on, once } from "node:events";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { isAbsolute, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import ts from "typescript";
import { fencedBlocks, read, root } from "./docs/markdown.mjs";

const WELCOME = "welcome, and back again\n";
const LINES = "at most 80\nAGREED ON 40\n";
const tarballs = process.argv.slice(2).map((file) => resolve(file));
const project = realpathSync(mkdtempSync(join(tmpdir(), "upgrade-tarballs-")));

process.on("exit", () => rmSync(project, { recursive: true, force: true }));

function run(what, command, args, options) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    cwd: project,
    encoding: "utf8",
    timeout: 30_000,
    ...options,
  });
  if (error === undefined && status === 0) return stdout;
  console.error(`${what} failed (${error?.message ?? signal ?? status})\n${stdout}${stderr}`);
  process.exit(1);
}

/** The port in the README may be in use. */
async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await once(server.close(), "close");
  return String(port);
}

/** The same program with require(). */
function toCommonJs(code) {
  const imports = /^import (.+) from (".+");$/gm;
  const required = code.replace(imports, (_, names, from) => {
    return `const ${names.replaceAll(" as ", ": ")} = require(${from});`;
  });
  return `(async () => {\n${required}\n})();\n`;
}

function tsconfig(module, moduleResolution, files, platform) {
  const compilerOptions = {
    target: "es2022",
    module,
    moduleResolution,
    strict: true,
    noEmit: true,
    // Also checks the packages' declarations.
    skipLibCheck: false,
    ...platform,
  };
  return JSON.stringify({ compilerOptions, files });
}

const [{ code }] = fencedBlocks(read("README.md"), "ts");
const [{ code: lines }] = fencedBlocks(read("docs/guides/your-own-protocol.md"), "ts");
const compilerOptions = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022 };
const { outputText: linesAsJs } = ts.transpileModule(lines, { compilerOptions });
writeFileSync(join(project, "package.json"), '{ "private": true }');
// On Windows npm is a shell script; our paths contain no spaces.
run("npm install", "npm", ["install", "--offline", "--no-audit", "--no-fund", ...tarballs], {
  shell: process.platform === "win32",
});

const programs = [
  ["echo.mjs", code, WELCOME],
  ["echo.cjs", toCommonJs(code), WELCOME],
  ["lines.mjs", linesAsJs, LINES],
];
for (const [name, text, prints] of programs) {
  writeFileSync(join(project, name), text.replaceAll("8080", await freePort()));
  const printed = run(name, process.execPath, [name]);
  if (printed === prints) continue;
  console.error(`${name} printed ${JSON.stringify(printed)}`);
  process.exit(1);
}

// Classes must keep their names; bundlers rename a class that refers to itself.
const NAMES = `
const names = ["core", "client", "websocket"];
const exported = Object.assign({}, ...names.map((name) => require("@upgrade/" + name)));
const renamed = Object.entries(exported).filter(([name, it]) => {
  return /^[A-Z]/.test(name) && typeof it === "function" && it.name !== name;
});
console.log(renamed.map(([name]) => name).join(" "));
`;
writeFileSync(join(project, "names.cjs"), NAMES);
const renamed = run("names.cjs", process.execPath, ["names.cjs"]).trim();
if (renamed !== "") {
  console.error(`the build renamed ${renamed}`);
  process.exit(1);
}

// Node's types come from the workspace; they are not under test.
symlinkSync(
  fileURLToPath(new URL("node_modules/@types", root)),
  join(project, "node_modules/@types"),
  "junction",
);
writeFileSync(join(project, "echo.mts"), code);
writeFileSync(join(project, "lines.mts"), lines);
writeFileSync(join(project, "echo.cts"), `${toCommonJsTypes(code)}`);
writeFileSync(join(project, "members.mts"), read("packages/conformance/types/public-members.ts"));
writeFileSync(join(project, "agreed.mts"), read("packages/conformance/types/agreements.ts"));
writeFileSync(join(project, "services.mts"), read("packages/conformance/types/services.ts"));
// The packages must also compile without Node's types and without a lib newer than the target.
writeFileSync(
  join(project, "plain.mts"),
  ["client", "server", "websocket", "core", "core/io", "core/testing"]
    .map((entry) => `export type * as ${entry.replace("/", "_")} from "@upgrade/${entry}";\n`)
    .join(""),
);
writeFileSync(join(project, "node.mts"), 'export type * as node from "@upgrade/node";\n');
const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));
const onNode = { lib: ["es2022", "esnext.disposable"], types: ["node"] };
const TYPES = ["node.mts", "lines.mts", "members.mts", "agreed.mts", "services.mts"];
const PROGRAMS = [
  ["node16", "node16", ["echo.mts", "echo.cts", ...TYPES], onNode],
  ["esnext", "bundler", ["echo.mts", ...TYPES], onNode],
  ["esnext", "bundler", ["plain.mts"], { lib: ["es2022"], types: [] }],
];
for (const [module, resolution, files, platform] of PROGRAMS) {
  writeFileSync(join(project, "tsconfig.json"), tsconfig(module, resolution, files, platform));
  run(`types of ${files} under ${resolution}`, process.execPath, [tsc, "-p", "."]);
}

const packages = join(project, "node_modules/@upgrade");
const shipped = readdirSync(packages, { recursive: true, encoding: "utf8" });
const textOf = (file) => readFileSync(join(packages, file), "utf8");

/** Fails unless `holds` is true for every file, and there is at least one. */
function demand(what, files, holds) {
  const faults = files.filter((file) => !holds(file));
  if (files.length > 0 && faults.length === 0) return;
  console.error(`${what}: ${faults.join(", ") || "no such file"}`);
  process.exit(1);
}

const declarations = shipped.filter((file) => /\.d\.c?ts$/.test(file));
demand("internal names are declared", declarations, (file) => !textOf(file).includes("@internal"));
demand(
  "a source map names a file that is not shipped",
  shipped.filter((file) => file.endsWith(".map")),
  (file) => {
    const { file: of, sources } = JSON.parse(textOf(file));
    return [of ?? "", ...sources].every((source) => {
      // We do not ship llhttp's own sources.
      const isThere = () => existsSync(resolve(packages, file, "..", source));
      return !isAbsolute(source) && !/^\w+:/.test(source) && (source === of || isThere());
    });
  },
);
demand(
  "llhttp is shipped without its license",
  shipped.filter((file) => /^core.dist.llhttp\.inline\.c?js$/.test(file)),
  (file) => textOf(file).includes("/*! llhttp"),
);

/** Where "go to definition" leads from the first `word` in a file of the project. */
async function definitionOf(word, file) {
  const before = code.slice(0, code.indexOf(word)).split("\n");
  const offset = before.at(-1).length + 1;
  const place = { file: join(project, file), line: before.length, offset };
  const tsserver = fileURLToPath(new URL("node_modules/typescript/lib/tsserver.js", root));
  const editor = fork(tsserver, ["--useNodeIpc", "--disableAutomaticTypingAcquisition"]);
  try {
    for (const [seq, command] of ["open", "definition"].entries()) {
      editor.send({ seq, type: "request", command, arguments: place });
    }
    const signal = AbortSignal.timeout(30_000);
    for await (const [message] of on(editor, "message", { signal })) {
      if (message.command !== "definition") continue;
      const [{ file: found, start }] = message.body;
      const line = readFileSync(found, "utf8").split("\n")[start.line - 1];
      return `${relative(packages, realpathSync(found))}: ${line.slice(start.offset - 1)}`;
    }
  } finally {
    editor.kill();
  }
}

const DEFINITIONS = {
  "handshake(socket": "server/src/handshake.ts: handshake<IO extends Io>(",
  "switchTo(": "server/src/request.ts: switchTo(",
  "upgrade(net": "client/src/upgrade.ts: upgrade<IO extends Io, P",
};
for (const [word, wanted] of Object.entries(DEFINITIONS)) {
  const found = await definitionOf(word, "echo.mts");
  if (found.replaceAll("\\", "/").startsWith(wanted)) continue;
  console.error(`the definition of ${word} is ${found}, not ${wanted}`);
  process.exit(1);
}
console.log("the examples run from the tarballs, as ESM and CommonJS, and compile");

/** A .cts file compiles imports to require() and cannot use top-level await. */
function toCommonJsTypes(text) {
  const [imports, ...rest] = text.split(/\n\n/);
  return `${imports}\n\nasync function main() {\n${rest.join("\n\n")}\n}\nvoid main();\n`;
}
