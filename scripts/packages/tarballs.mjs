#!/usr/bin/env node
// Tests the packages as users install them: node scripts/packages/tarballs.mjs <tarball>...
// Installs the tarballs in an empty project with npm, runs the README's example as ESM and as CommonJS
// and that of the guide to protocols, and reads what was shipped.
import { fork } from "node:child_process";
import { on } from "node:events";
import { existsSync, readdirSync, readFileSync, realpathSync, symlinkSync } from "node:fs";
import { delimiter, isAbsolute, join, relative, resolve } from "node:path";
import { local } from "../tasks/run.mjs";
import { fail, printedBy, projectWith, writeFiles } from "./project.mjs";
import { onFreePort, README, WELCOME } from "./readme.mjs";
import { SAMPLES } from "./samples.mjs";

/** The same program with require(). */
function toCommonJs(code) {
  const imports = /^import (.+) from (".+");$/gm;
  const required = code.replace(imports, (_, names, from) => {
    return `const ${names.replaceAll(" as ", ": ")} = require(${from});`;
  });
  return `(async () => {\n${required}\n})();\n`;
}

const project = projectWith(process.argv.slice(2).map((file) => resolve(file)));

const programs = [...SAMPLES, ["echo.cjs", toCommonJs(README), WELCOME]];
for (const [name, text, prints] of programs) {
  writeFiles(project, { [name]: await onFreePort(text) });
  const printed = printedBy(name, process.execPath, [name], { cwd: project });
  if (printed !== prints) fail(`${name} printed ${JSON.stringify(printed)}`);
}

const command = join(project, "node_modules/.bin/upgrade");
const inShell = { cwd: project, shell: process.platform === "win32" };
const help = printedBy("upgrade --help", command, ["--help"], inShell);
if (!help.includes("probe")) fail(`upgrade --help printed ${JSON.stringify(help)}`);

// It has all that it needs: an end and a probe of it, which gives the verdict as an exit code.
const probing = `upgrade serve --echo > served & until grep -q listening served; do sleep 0.1; done
upgrade probe --no-proxy "$(sed -n 's/listening on //p' served)"; echo "exit code $?"; kill $!`;
const path = [join(project, "node_modules/.bin"), process.env.PATH].join(delimiter);
if (process.platform !== "win32") {
  const env = { ...process.env, PATH: path };
  const said = printedBy("upgrade probe", "sh", ["-c", probing], { cwd: project, env });
  if (!/^✓ It switched.*exit code 0\n$/s.test(said)) fail(`upgrade probe printed ${said}`);
}

// Classes must keep their names; bundlers rename a class that refers to itself.
const NAMES = `
const names = ["core", "client", "websocket", "proxy"];
const exported = Object.assign({}, ...names.map((name) => require("@upgrade/" + name)));
const renamed = Object.entries(exported).filter(([name, it]) => {
  return /^[A-Z]/.test(name) && typeof it === "function" && it.name !== name;
});
console.log(renamed.map(([name]) => name).join(" "));
`;
writeFiles(project, { "names.cjs": NAMES });
const renamed = printedBy("names.cjs", process.execPath, ["names.cjs"], { cwd: project }).trim();
if (renamed !== "") fail(`the build renamed ${renamed}`);

const packages = join(project, "node_modules/@upgrade");
const shipped = readdirSync(packages, { recursive: true, encoding: "utf8" });
const textOf = (file) => readFileSync(join(packages, file), "utf8");

/** Fails unless `holds` is true for every file, and there is at least one. */
function demand(what, files, holds) {
  const faults = files.filter((file) => !holds(file));
  if (files.length > 0 && faults.length === 0) return;
  fail(`${what}: ${faults.join(", ") || "no such file"}`);
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
  const before = README.slice(0, README.indexOf(word)).split("\n");
  const offset = before.at(-1).length + 1;
  const place = { file: join(project, file), line: before.length, offset };
  const editor = fork(local("typescript/lib/tsserver.js"), [
    "--useNodeIpc",
    "--disableAutomaticTypingAcquisition",
  ]);
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

// Node's types come from the workspace; they are not under test.
symlinkSync(local("@types"), join(project, "node_modules/@types"), "junction");
writeFiles(project, { "echo.mts": README });
const DEFINITIONS = {
  "handshake(socket": "server/src/handshake.ts: handshake<IO extends Io>(",
  "switchTo(": "server/src/request.ts: switchTo(",
  "upgrade(net": "client/src/upgrade.ts: upgrade<IO extends Io, P",
};
for (const [word, wanted] of Object.entries(DEFINITIONS)) {
  const found = await definitionOf(word, "echo.mts");
  if (found.replaceAll("\\", "/").startsWith(wanted)) continue;
  fail(`the definition of ${word} is ${found}, not ${wanted}`);
}
console.log("the examples run from the tarballs, as ESM and CommonJS");
