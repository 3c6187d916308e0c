// The tools that the packed packages are tried with, as installed in packages/conformance/packages.
import { existsSync, readFileSync, realpathSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { TOOLS } from "../tasks/install.mjs";
import { fail } from "./project.mjs";

/** The folder of an installed package. */
export const folderOf = (name) => join(TOOLS, "node_modules", name);

/** The script that `npx <name>` runs. */
export function scriptOf(name, command = name) {
  const { bin } = JSON.parse(readFileSync(join(folderOf(name), "package.json"), "utf8"));
  return join(folderOf(name), typeof bin === "string" ? bin : bin[command]);
}

const CPUS = { x64: "64", arm64: "arm64" };
const SYSTEMS = { linux: "linux", darwin: "darwin", win32: "windows" };
const OVEN_CPUS = { x64: "x64", arm64: "aarch64" };
const suffix = process.platform === "win32" ? ".exe" : "";

// Each is in a package for one platform, which the package named first depends on.
const BINARIES = {
  bun: `@oven/bun-${SYSTEMS[process.platform]}-${OVEN_CPUS[process.arch]}/bin/bun${suffix}`,
  workerd: `@cloudflare/workerd-${SYSTEMS[process.platform]}-${CPUS[process.arch]}/bin/workerd${suffix}`,
};

/** The path of a native program: "bun" or "workerd". */
export function binaryOf(name) {
  const require = createRequire(join(realpathSync(folderOf(name)), "package.json"));
  const [scope, platform, ...path] = BINARIES[name].split("/");
  for (const modules of require.resolve.paths(scope)) {
    const file = join(modules, scope, platform, ...path);
    if (existsSync(file)) return file;
  }
  return fail(`there is no ${name} for ${process.platform} ${process.arch}`);
}
