// Installs dependencies if their lockfile, pnpm or the platform has changed: those of the workspace,
// and on demand the tools that the packed packages are tried with.
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
 * Ten compilers, five bundlers, two runtimes and three package managers: 600 MB. They are no member of
 * the workspace and have a lockfile of their own, which a fresh clone's demo and tests do not read.
 */
export const TOOLS = join(root, "packages/conformance/packages");
const TOOLS_STAMP = join(TOOLS, "node_modules/.upgrade-installed");

/**
 * Installs what is missing; for the site only if `needsSite`. If `needsPnpm`, the pinned pnpm is on
 * PATH afterwards in any case.
 */
export async function install({ needsPnpm, needsSite }) {
  const wanted = fingerprint(root);
  const isCurrent = isStamped(needsSite ? SITE_STAMP : STAMP, wanted);
  // First on PATH, because turbo calls it, too.
  if (needsPnpm || !isCurrent) process.env.PATH = pathWith(packageManager);
  if (isCurrent) return;
  await pnpm(["install", "--frozen-lockfile", ...(needsSite ? [] : [`--filter=!${SITE}`])]);
  writeFileSync(STAMP, wanted);
  if (needsSite) writeFileSync(SITE_STAMP, wanted);
}

/** Installs the tools. The pinned pnpm must be on PATH. */
export async function installTools() {
  const wanted = fingerprint(TOOLS);
  if (isStamped(TOOLS_STAMP, wanted)) return;
  await pnpm(["install", "--frozen-lockfile"], { cwd: TOOLS });
  writeFileSync(TOOLS_STAMP, wanted);
}

const isStamped = (stamp, wanted) => existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;

function fingerprint(folder) {
  return createHash("sha256")
    .update(readFileSync(join(folder, "pnpm-lock.yaml")))
    .update(`${packageManager} ${process.platform} ${process.arch}`)
    .digest("hex");
}
