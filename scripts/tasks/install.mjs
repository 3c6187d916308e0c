// Installs the workspace's dependencies if the lockfile, pnpm or the platform has changed.
import { createHash } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathWith } from "./npm.mjs";
import { pnpm, root } from "./run.mjs";

// The site's generator is a quarter of all packages, and nothing else uses it.
const SITE = "@upgrade/site";
const STAMP = join(root, "node_modules/.upgrade-installed");
const SITE_STAMP = `${STAMP}-site`;
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/**
 * Installs what is missing; for the site only if `needsSite`. If `needsPnpm`, the pinned pnpm is on
 * PATH afterwards in any case.
 */
export async function install({ needsPnpm, needsSite }) {
  const wanted = fingerprint();
  const stamp = needsSite ? SITE_STAMP : STAMP;
  const isCurrent = existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;
  // First on PATH, because turbo calls it, too.
  if (needsPnpm || !isCurrent) process.env.PATH = pathWith(packageManager);
  if (isCurrent) return;
  await pnpm(["install", "--frozen-lockfile", ...(needsSite ? [] : [`--filter=!${SITE}`])]);
  writeFileSync(STAMP, wanted);
  if (needsSite) writeFileSync(SITE_STAMP, wanted);
}

function fingerprint() {
  return createHash("sha256")
    .update(readFileSync(join(root, "pnpm-lock.yaml")))
    .update(`${packageManager} ${process.platform} ${process.arch}`)
    .digest("hex");
}
