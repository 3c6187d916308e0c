#!/usr/bin/env node
// Installs the packages with every package manager, from a registry that has the tarballs, and runs the
// README's example: node scripts/packages/managers.mjs <tarball>...
import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { npmCommand } from "../tasks/npm.mjs";
import { emptyProject, fail, writeFiles } from "./project.mjs";
import { onFreePort, README, WELCOME } from "./readme.mjs";
import { serveTarballs } from "./registry.mjs";
import { binaryOf, scriptOf } from "./tools.mjs";

// All that depend on each other alone.
const WANTED = ["client", "server", "websocket", "node", "proxy"].map((name) => `@upgrade/${name}`);

const registry = await serveTarballs(process.argv.slice(2).map((file) => resolve(file)));

const npmrc = `@upgrade:registry=${registry}\n`;
const node = process.execPath;
const MANAGERS = {
  npm: {
    files: { ".npmrc": npmrc },
    install: [...npmCommand(), "install", "--no-audit", "--no-fund"],
    run: [node],
  },
  pnpm: { files: { ".npmrc": npmrc }, install: ["pnpm", "add"], run: [node] },
  "yarn 1": {
    files: { ".npmrc": npmrc, ".yarnrc": `"@upgrade:registry" "${registry}"\n` },
    install: [node, scriptOf("yarn"), "add"],
    run: [node],
  },
  // It makes no node_modules: its own loader finds the packages.
  "yarn 4": {
    files: { ".yarnrc.yml": yarnrc(), "yarn.lock": "" },
    install: [node, scriptOf("@yarnpkg/cli-dist", "yarn"), "add"],
    run: [node, scriptOf("@yarnpkg/cli-dist", "yarn"), "node"],
  },
  bun: {
    files: { "bunfig.toml": `[install.scopes]\nupgrade = "${registry}"\n` },
    install: [binaryOf("bun"), "add"],
    run: [node],
  },
};

for (const [name, { files, install, run }] of Object.entries(MANAGERS)) {
  const cwd = emptyProject();
  const program = await onFreePort(README);
  writeFiles(cwd, { "package.json": '{ "private": true }', "echo.mjs": program, ...files });
  await printed(`${name}: the installation`, [...install, ...WANTED], cwd);
  const said = await printed(`${name}: the example`, [...run, "echo.mjs"], cwd);
  if (said !== WELCOME) fail(`${name}: the example printed ${JSON.stringify(said)}`);
}
console.log(`the README's example runs after ${Object.keys(MANAGERS).join(", ")}`);

function yarnrc() {
  return `npmScopes:
  upgrade:
    npmRegistryServer: "${registry}"
unsafeHttpWhitelist: ["127.0.0.1"]
enableTelemetry: false
enableGlobalCache: false
`;
}

async function printed(what, [command, ...args], cwd) {
  const options = {
    cwd,
    // Caches of its own: what was tried before has the same version.
    env: {
      ...process.env,
      npm_config_cache: join(cwd, ".npm"),
      npm_config_store_dir: join(cwd, ".pnpm"),
      YARN_CACHE_FOLDER: join(cwd, ".yarn"),
      BUN_INSTALL_CACHE_DIR: join(cwd, ".bun"),
    },
    timeout: 60_000,
    // There npm and pnpm are shell scripts.
    shell: process.platform === "win32" && !command.includes(".exe"),
  };
  try {
    const { stdout } = await promisify(execFile)(command, args, options);
    return stdout;
  } catch (error) {
    return fail(`${what} failed`, error.message, error.stdout ?? "");
  }
}
