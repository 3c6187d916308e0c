// Builds, packs and checks the packages, and bundles the programs of conformance.
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { local, node, pnpm, root, turbo } from "./run.mjs";

const PUBLISHED = ["core", "client", "server", "websocket", "node"];
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

/** Checks the manifests and types of the tarballs, then uses them as a user does. */
export async function checkPackages() {
  const tarballs = await pack();
  for (const tarball of tarballs) {
    await node(local("publint/src/cli.js"), ["run", tarball, "--strict"]);
    await node(local("@arethetypeswrong/cli/dist/index.js"), [tarball, "--profile", "node16"]);
  }
  await node("scripts/tarballs.mjs", tarballs);
}

/** Bundles a program of conformance from the sources, because they are what is under test. */
export async function bundle(program) {
  const args = ["--config", `${program}/tsup.config.ts`, "--silent"];
  await node(local("tsup/dist/cli-default.js"), args, {
    cwd: join(root, "packages/conformance"),
  });
}
