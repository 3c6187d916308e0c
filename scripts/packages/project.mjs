// A user's project: an empty folder in which the tarballs are installed.
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { npm } from "../tasks/npm.mjs";

/** An empty folder outside the workspace, removed at exit. */
export function emptyProject() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "upgrade-project-")));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Such a folder with the tarballs in node_modules; `manifest` is added to its package.json. */
export function projectWith(tarballs, manifest = {}) {
  const folder = emptyProject();
  writeFileSync(join(folder, "package.json"), JSON.stringify({ private: true, ...manifest }));
  // What the command line is made with comes from the registry, if npm has it not yet.
  const install = ["install", "--prefer-offline", "--no-audit", "--no-fund", ...tarballs];
  const { status, stderr } = npm(install, { cwd: folder, encoding: "utf8" });
  if (status !== 0) fail(`npm install failed (${status})`, stderr);
  return folder;
}

/** Writes files, given by their paths in the folder. */
export function writeFiles(folder, files) {
  for (const [name, text] of Object.entries(files)) {
    const file = join(folder, name);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** What a command printed; exits if it fails. */
export function printedBy(what, command, args, options) {
  const { status, signal, stdout, stderr, error } = spawnSync(command, args, {
    encoding: "utf8",
    timeout: 30_000,
    ...options,
  });
  if (error === undefined && status === 0) return stdout;
  return fail(`${what} failed (${error?.message ?? signal ?? status})`, `${stdout}${stderr}`);
}

/** Prints why a check has failed, and exits. */
export function fail(...lines) {
  for (const line of lines) console.error(line);
  process.exit(1);
}
