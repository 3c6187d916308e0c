// The runtimes: which package of the registry has the binary, and what plays the suite in it.
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { NODE_PACKAGES, npm } from "../tasks/npm.mjs";
import { root } from "../tasks/run.mjs";
import { playInChromium } from "./chromium.mjs";
import { playByLines } from "./lines.mjs";
import { checkByDeno, checkByTypeScript } from "./typed.mjs";
import { playInWorkerd } from "./workerd.mjs";

const FOLDER = join(root, ".runtimes");
const PLATFORM = `${process.platform}-${process.arch}`;
const EXE = process.platform === "win32" ? ".exe" : "";

const BUN_PACKAGES = {
  "linux-x64": "@oven/bun-linux-x64",
  "linux-arm64": "@oven/bun-linux-aarch64",
  "darwin-x64": "@oven/bun-darwin-x64",
  "darwin-arm64": "@oven/bun-darwin-aarch64",
  "win32-x64": "@oven/bun-windows-x64",
};
const DENO_PACKAGES = {
  "linux-x64": "@deno/linux-x64-glibc",
  "linux-arm64": "@deno/linux-arm64-glibc",
  "darwin-x64": "@deno/darwin-x64",
  "darwin-arm64": "@deno/darwin-arm64",
  "win32-x64": "@deno/win32-x64",
};
const WORKERD_PACKAGES = {
  "linux-x64": "@cloudflare/workerd-linux-64",
  "linux-arm64": "@cloudflare/workerd-linux-arm64",
  "darwin-x64": "@cloudflare/workerd-darwin-64",
  "darwin-arm64": "@cloudflare/workerd-darwin-arm64",
  "win32-x64": "@cloudflare/workerd-windows-64",
};

const node = (major, version) => ({
  name: `Node ${major}`,
  packages: NODE_PACKAGES,
  version,
  binary: process.platform === "win32" ? "bin/node.exe" : "bin/node",
  // The Node that runs this is installed already.
  here: () => (Number.parseInt(process.versions.node, 10) === major ? process.execPath : undefined),
  programs: ["node", "thread"],
  play: playByLines(["node.js"]),
  samples: [],
});

/** By the word that names one in `--require`, in the order of the page. */
export const RUNTIMES = {
  node20: node(20, "20.20.2"),
  node22: node(22, "22.23.2"),
  node24: node(24, "24.21.0"),
  node26: node(26, "26.10.0"),
  bun: {
    name: "Bun",
    packages: BUN_PACKAGES,
    version: "1.4.5",
    binary: `bin/bun${EXE}`,
    programs: ["bun", "thread"],
    play: playByLines(["bun.js"]),
    samples: [],
    types: "bun-types@1.4.5",
    check: checkByTypeScript("bun-types"),
  },
  deno: {
    name: "Deno",
    packages: DENO_PACKAGES,
    version: "2.9.6",
    binary: `deno${EXE}`,
    programs: ["deno", "thread"],
    // It does not accept a certificate of its own signing from the server.
    play: playByLines(["run", "-A", "--unsafely-ignore-certificate-errors=localhost", "deno.js"]),
    samples: ["run", "-A"],
    check: checkByDeno,
  },
  workerd: {
    name: "workerd",
    packages: WORKERD_PACKAGES,
    version: "1.20261117.1",
    binary: `bin/workerd${EXE}`,
    programs: ["workerd"],
    conditions: ["workerd", "worker"],
    play: playInWorkerd,
    types: "@cloudflare/workers-types@5.20261117.1",
    check: checkByTypeScript("@cloudflare/workers-types"),
  },
  chromium: {
    name: "Chromium",
    here: () => onPath("chromium") ?? onPath("chromium-browser"),
    programs: ["chromium", "chromium-worker"],
    conditions: ["browser"],
    play: playInChromium,
  },
};

/** The path of the runtime's binary; undefined if it is not installed. */
export function find(word) {
  const { packages, version, types, binary, here } = RUNTIMES[word];
  const name = packages?.[PLATFORM];
  const wanted = [`${name}@${version}`, types].filter((one) => one !== undefined);
  if (name !== undefined && wanted.every((one) => isInstalled(word, one))) {
    return join(modulesOf(word), name, binary);
  }
  return here?.();
}

/** Where the packages of a runtime are: its binary, and its types. */
export const modulesOf = (word) => join(FOLDER, word, "node_modules");

function isInstalled(word, specifier) {
  const [, name, version] = /^(.+)@(.+)$/.exec(specifier);
  const file = join(modulesOf(word), name, "package.json");
  return existsSync(file) && JSON.parse(readFileSync(file, "utf8")).version === version;
}

/** Installs the runtime from the registry, into a folder of its own; no script is run. */
export function install(word) {
  const { packages, version, types = [] } = RUNTIMES[word];
  const name = packages?.[PLATFORM];
  if (name === undefined || find(word) !== undefined) return;
  const folder = join(FOLDER, word);
  mkdirSync(folder, { recursive: true });
  const quietly = ["--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  const wanted = [`${name}@${version}`].concat(types);
  const args = ["install", "--prefix", folder, ...quietly, ...wanted];
  const { status, stderr } = npm(args, { cwd: folder, encoding: "utf8" });
  if (status !== 0) console.error(`npm could not install ${wanted.join(" and ")}\n${stderr}`);
}

/** What the binary says its version is. */
export function versionOf(binary) {
  const { stdout } = spawnSync(binary, ["--version"], { encoding: "utf8" });
  return /\d+(?:\.\d+)+|\d{4}-\d\d-\d\d/.exec(stdout ?? "")?.[0];
}

function onPath(name) {
  const folders = (process.env.PATH ?? "").split(delimiter);
  return folders.map((folder) => join(folder, name)).find((file) => existsSync(file));
}
