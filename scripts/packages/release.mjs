#!/usr/bin/env node
// Rehearses a release in a copy: the versions, the changelogs, and what would be published. Nothing is
// sent, and the work tree is not touched: node scripts/packages/release.mjs <tarball>...
import { execFile } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import { local, root } from "../tasks/run.mjs";
import { emptyProject, fail, writeFiles } from "./project.mjs";
import { serveTarballs } from "./registry.mjs";

const MEMBERS = ["packages", "apps"];
const LEFT_OUT = new Set(["node_modules", ".turbo", "test"]);
const AUTHOR = ["-c", "user.name=rehearsal", "-c", "user.email=rehearsal@localhost"];

const copy = emptyProject();
copyWorkspace();
const pending = readdirSync(join(copy, ".changeset")).filter((name) => name.endsWith(".md"));
const before = manifests();

// Changesets asks git which commits added its files.
await run("git", ["init", "--quiet"]);
await run("git", ["add", "--all"]);
await run("git", [...AUTHOR, "commit", "--quiet", "--no-verify", "--message=rehearsal"]);
await run(process.execPath, [local("@changesets/cli/bin.js"), "version"]);
const [version, ...others] = new Set(manifests().map((manifest) => manifest.version));
if (others.length > 0) fail(`the packages have versions of their own: ${[version, ...others]}`);
if (pending.length > 0) checkVersions();

// It knows none of our packages yet, so all are published.
const registry = await serveTarballs([]);
writeFiles(copy, { ".npmrc": `registry=${registry}\n` });
await run("pnpm", ["publish", "-r", "--dry-run", "--no-git-checks", "--report-summary"]);
const { publishedPackages } = readJson(join(copy, "pnpm-publish-summary.json"));
const would = publishedPackages.map((one) => `${one.name}@${one.version}`).sort();
const wanted = before.map(({ name }) => `${name}@${version}`).sort();
if (String(would) !== String(wanted)) fail(`published would be ${would}, not ${wanted}`);
console.log(
  `${pending.length} changesets make ${version}, and ${would.length} packages would be published`,
);

// Of a private member only its manifest. The packages are linked to each other, as installed.
function copyWorkspace() {
  const files = /^(package\.json|pnpm-.*|\.npmrc|\.changeset|\.gitignore)$/;
  for (const name of readdirSync(root).filter((one) => files.test(one))) copyIn(name);
  for (const member of MEMBERS.flatMap(membersOf)) {
    const { private: isPrivate, dependencies = {} } = readJson(join(root, member, "package.json"));
    copyIn(isPrivate ? join(member, "package.json") : member);
    const ours = Object.keys(dependencies).filter((name) => name.startsWith("@upgrade/"));
    for (const name of isPrivate ? [] : ours) {
      link(join(copy, "packages", name.split("/")[1]), join(copy, member, "node_modules", name));
    }
  }
  link(join(root, "node_modules"), join(copy, "node_modules"));
}

function membersOf(group) {
  return readdirSync(join(root, group)).map((name) => join(group, name));
}

function copyIn(path) {
  const filter = (from) => !LEFT_OUT.has(basename(from));
  cpSync(join(root, path), join(copy, path), { recursive: true, filter });
}

function link(to, from) {
  mkdirSync(dirname(from), { recursive: true });
  symlinkSync(to, from, "junction");
}

/** The manifests of the published packages. */
function manifests() {
  return readdirSync(join(copy, "packages"))
    .map((name) => ({ folder: name, ...readJson(join(copy, "packages", name, "package.json")) }))
    .filter((manifest) => manifest.private !== true);
}

function checkVersions() {
  for (const { folder, name, version: old } of before) {
    const changelog = join(copy, "packages", folder, "CHANGELOG.md");
    if (old === version) fail(`${name} stays ${old}`);
    if (!existsSync(changelog)) fail(`${name} gets no CHANGELOG.md`);
    if (!readFileSync(changelog, "utf8").includes(`## ${version}\n`))
      fail(`${name}: no ${version}`);
  }
}

function readJson(file) {
  return JSON.parse(readFileSync(file, "utf8"));
}

async function run(command, args) {
  const shell = process.platform === "win32" && command === "pnpm";
  try {
    const { stdout } = await promisify(execFile)(command, args, { cwd: copy, shell });
    return stdout;
  } catch (error) {
    return fail(`${command} ${args.join(" ")} failed`, error.message, error.stdout ?? "");
  }
}
