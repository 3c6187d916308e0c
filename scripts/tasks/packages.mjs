// Builds, packs and checks the packages, and bundles the programs of conformance.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { installTools } from "./install.mjs";
import { local, node, pnpm, root, turbo } from "./run.mjs";

const LIBRARIES = ["core", "client", "server", "websocket", "proxy", "node"];
/** Run, never imported. */
const PROGRAMS = ["cli"];
const PUBLISHED = [...LIBRARIES, ...PROGRAMS];
const FOLDER = join(root, ".pack");

/** Packs the published packages into .pack; returns the tarballs. */
export async function pack() {
  await turbo("build", ...PUBLISHED.map((name) => `--filter=@upgrade/${name}`));
  rmSync(FOLDER, { recursive: true, force: true });
  mkdirSync(FOLDER);
  for (const name of PUBLISHED) {
    await pnpm(["--silent", "pack", "--pack-destination", "../../.pack"], {
      cwd: join(root, "packages", name),
      stdio: ["ignore", "ignore", "inherit"],
    });
  }
  return readdirSync(FOLDER).map((name) => join(FOLDER, name));
}

/** What is done with the packed packages, each by a program of scripts/packages. */
export const TRIALS = {
  tarballs: "runs the README's example from the tarballs, and reads what they contain",
  types: "compiles expected types against the packed declarations, with TypeScript 5.2 to 7",
  managers: "installs the packages with npm, pnpm, yarn 1 and 4 and bun, and runs the README",
  release: "rehearses a release in a copy: versions, changelogs, and what would be published",
  bundles: "bundles a program with five bundlers for three runtimes, and runs the bundles",
};

/** Packs, installs the tools, and runs one of the trials. */
export async function tryPackages(trial) {
  const tarballs = await pack();
  await installTools();
  await node(`scripts/packages/${trial}.mjs`, tarballs);
}

/** Checks the manifests of the tarballs, then uses them as users do. */
export async function checkPackages() {
  const tarballs = await pack();
  await installTools();
  for (const tarball of tarballs) {
    await node(local("publint/src/cli.js"), ["run", tarball, "--strict"]);
    // A program has no types.
    if (PROGRAMS.some((name) => tarball.includes(`upgrade-${name}-`))) continue;
    await node(local("@arethetypeswrong/cli/dist/index.js"), [tarball, "--profile", "node16"]);
  }
  for (const trial of Object.keys(TRIALS)) {
    const began = performance.now();
    await node(`scripts/packages/${trial}.mjs`, tarballs);
    console.log(`  ${trial}: ${((performance.now() - began) / 1000).toFixed(0)} s`);
  }
}

/** Bundles a program of conformance from the sources, because they are what is under test. */
export async function bundle(program, member = "conformance") {
  const args = ["--config", `${program}/tsup.config.ts`, "--silent"];
  await node(local("tsup/dist/cli-default.js"), args, {
    cwd: join(root, "packages", member),
  });
}
