#!/usr/bin/env node
// Bundles a program with the packed packages, with each bundler for each runtime, and runs the bundle:
// node scripts/packages/bundles.mjs <tarball>...
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, symlinkSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { TOOLS } from "../tasks/install.mjs";
import { builds, commandOf, copyFiles } from "./bundlers.mjs";
import { inTurn } from "./in-turn.mjs";
import { fail, projectWith, writeFiles } from "./project.mjs";
import { RUNTIMES } from "./runtimes.mjs";
import { folderOf } from "./tools.mjs";

const PROGRAMS = join(TOOLS, "programs");
// What the configuration files of the guide import.
const IMPORTED = ["@rollup/plugin-node-resolve"];

const { TOLD } = await import(pathToFileURL(join(PROGRAMS, "told.mjs")));
const project = projectWith(process.argv.slice(2).map((file) => resolve(file)));
for (const name of IMPORTED) link(folderOf(name), join(project, "node_modules", name));

const all = builds();
await inTurn(all, async ({ bundler, runtime, files, run }) => {
  const cwd = join(project, `${bundler}-${runtime}`);
  cpSync(PROGRAMS, cwd, { recursive: true });
  link(join(project, "node_modules"), join(cwd, "node_modules"));
  writeFiles(cwd, files);
  const what = `${bundler} for ${runtime}`;
  for (const line of run) {
    if (line.startsWith("cp ")) copyFiles(line, cwd);
    else await printed(`${what}: ${line}`, ...commandOf(line), cwd);
  }
  const told = await printed(`the bundle of ${what}`, ...RUNTIMES[runtime](join(cwd, "dist")), cwd);
  if (told.trim() !== TOLD) fail(`the bundle of ${what} printed`, told);
});
console.log(`${all.length} bundles do what they should: ${all.map(nameOf).join(", ")}`);

function nameOf({ bundler, runtime }) {
  return `${bundler}/${runtime}`;
}

function link(to, from) {
  mkdirSync(dirname(from), { recursive: true });
  symlinkSync(to, from, "junction");
}

async function printed(what, command, args, cwd) {
  const options = { cwd, timeout: 60_000, maxBuffer: 1 << 26 };
  try {
    const { stdout } = await promisify(execFile)(command, args, options);
    return stdout;
  } catch (error) {
    return fail(`${what} failed`, error.message, error.stdout ?? "");
  }
}
