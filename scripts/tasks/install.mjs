// Installs the workspace's dependencies if the lockfile, pnpm or the platform has changed.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathWith } from "./npm.mjs";
import { pnpm, root } from "./run.mjs";

const STAMP = join(root, "node_modules/.upgrade-installed");
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** Installs what is missing. If `needsPnpm`, the pinned pnpm is on PATH afterwards in any case. */
export async function install({ needsPnpm }) {
  const wanted = fingerprint();
  const isCurrent = existsSync(STAMP) && readFileSync(STAMP, "utf8") === wanted;
  // First on PATH, because turbo calls it, too.
  if (needsPnpm || !isCurrent) process.env.PATH = pathWith(packageManager);
  if (isCurrent) return;
  await pnpm(["install", "--frozen-lockfile"]);
  writeFileSync(STAMP, wanted);
}

function fingerprint() {
  return createHash("sha256")
    .update(readFileSync(join(root, "pnpm-lock.yaml")))
    .update(`${packageManager} ${process.platform} ${process.arch}`)
    .digest("hex");
}
