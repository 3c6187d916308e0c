#!/usr/bin/env node
// What people install, used as people use it: node scripts/tarballs.mjs <tarball>...
// Installs the tarballs in an empty project with npm, runs the README's example as ESM and as CommonJS,
// and compiles it under both ways of finding types.
import { spawnSync } from "node:child_process";
import { once } from "node:events";
import {
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
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { fencedBlocks, read, root } from "./docs/markdown.mjs";

const PRINTS = "welcome, and back again\n";
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

/** The port in the README may be taken. */
async function freePort() {
  const server = net.createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address();
  await once(server.close(), "close");
  return String(port);
}

/** The same program for require(). */
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
    // The declarations of the packages are checked, too.
    skipLibCheck: false,
    ...platform,
  };
  return JSON.stringify({ compilerOptions, files });
}

const [{ code }] = fencedBlocks(read("README.md"), "ts");
writeFileSync(join(project, "package.json"), '{ "private": true }');
// npm for Windows is a script for a shell; the paths are ours and hold no spaces.
run("npm install", "npm", ["install", "--offline", "--no-audit", "--no-fund", ...tarballs], {
  shell: process.platform === "win32",
});

const programs = { "echo.mjs": code, "echo.cjs": toCommonJs(code) };
for (const [name, text] of Object.entries(programs)) {
  writeFileSync(join(project, name), text.replaceAll("8080", await freePort()));
  const printed = run(name, process.execPath, [name]);
  if (printed === PRINTS) continue;
  console.error(`${name} printed ${JSON.stringify(printed)}`);
  process.exit(1);
}

// What people see of a class: its name, which bundlers change if it names itself.
const NAMES = `
const exported = { ...require("@upgrade/core"), ...require("@upgrade/client") };
const renamed = Object.entries(exported).filter(([name, it]) => {
  return /^[A-Z]/.test(name) && typeof it === "function" && it.name !== name;
});
console.log(renamed.map(([name]) => name).join(" "));
`;
writeFileSync(join(project, "names.cjs"), NAMES);
const renamed = run("names.cjs", process.execPath, ["names.cjs"]).trim();
if (renamed !== "") {
  console.error(`the build gave another name to ${renamed}`);
  process.exit(1);
}

// Node's types come from the workspace: they are no part of what is checked.
symlinkSync(
  fileURLToPath(new URL("node_modules/@types", root)),
  join(project, "node_modules/@types"),
  "junction",
);
writeFileSync(join(project, "echo.mts"), code);
writeFileSync(join(project, "echo.cts"), `${toCommonJsTypes(code)}`);
writeFileSync(join(project, "members.mts"), read("packages/conformance/types/public-members.ts"));
// What a program without Node's types, and without a library that is newer than its target, sees.
writeFileSync(
  join(project, "plain.mts"),
  ["client", "server", "core", "core/io", "core/testing"]
    .map((entry) => `export type * as ${entry.replace("/", "_")} from "@upgrade/${entry}";\n`)
    .join(""),
);
const tsc = fileURLToPath(new URL("node_modules/typescript/bin/tsc", root));
const onNode = { lib: ["es2022", "esnext.disposable"], types: ["node"] };
const PROGRAMS = [
  ["node16", "node16", ["echo.mts", "echo.cts", "members.mts"], onNode],
  ["esnext", "bundler", ["echo.mts", "members.mts"], onNode],
  ["esnext", "bundler", ["plain.mts"], { lib: ["es2022"], types: [] }],
];
for (const [module, resolution, files, platform] of PROGRAMS) {
  writeFileSync(join(project, "tsconfig.json"), tsconfig(module, resolution, files, platform));
  run(`types of ${files} under ${resolution}`, process.execPath, [tsc, "-p", "."]);
}

const packages = join(project, "node_modules/@upgrade");
const declarations = readdirSync(packages, { recursive: true }).filter((file) =>
  /\.d\.[cm]?ts$/.test(file),
);
const internal = declarations.filter((file) =>
  readFileSync(join(packages, file), "utf8").includes("@internal"),
);
if (declarations.length === 0 || internal.length > 0) {
  console.error(`internal names are declared in ${internal.join(", ") || "no file at all"}`);
  process.exit(1);
}
console.log("the README's example runs from the tarballs as ESM and CommonJS, and compiles");

/** In a .cts file an import compiles to require(); top-level await has no place there. */
function toCommonJsTypes(text) {
  const [imports, ...rest] = text.split(/\n\n/);
  return `${imports}\n\nasync function main() {\n${rest.join("\n\n")}\n}\nvoid main();\n`;
}
