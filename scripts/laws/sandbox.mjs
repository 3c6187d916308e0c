// A copy of the workspace in which sources may be broken; the checkout is never touched.
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "./patches.mjs";

const here = fileURLToPath(root);
const GROUPS = ["packages", "apps"];
const NOT_COPIED = new Set(["node_modules", "dist", "coverage", ".turbo"]);

// One project and no cache: what costs is vitest's start, not the few tests of a law.
const CONFIG = `
import base from "./vitest.config.ts";
export default {
  resolve: base.resolve,
  ssr: base.ssr,
  test: { include: ["*/*/{src,test}/**/*.test.ts"], cache: false, maxWorkers: 1, bail: 1 },
};
`;

/** Makes one. Several may exist at once. */
export function makeSandbox() {
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "upgrade-laws-")));
  for (const name of readdirSync(here)) {
    if (name.startsWith(".") || NOT_COPIED.has(name)) continue;
    cpSync(join(here, name), join(folder, name), {
      recursive: true,
      filter: (path) => !NOT_COPIED.has(basename(path)),
    });
  }
  for (const group of GROUPS) {
    for (const name of readdirSync(join(here, group))) linkModules(folder, join(group, name));
  }
  link(join(here, "node_modules"), join(folder, "node_modules"));
  writeFileSync(join(folder, "laws.config.mjs"), CONFIG);
  return {
    folder,
    read,
    write,
    run,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };

  function read(file) {
    return readFileSync(join(folder, file), "utf8");
  }
  function write(file, text) {
    writeFileSync(join(folder, file), text);
  }
  function run(files, laws, withinMs) {
    return runTests(folder, files, laws, withinMs);
  }
}

// Packages of the workspace lead to their copies, all others to where they are installed.
function linkModules(folder, member) {
  const modules = join(here, member, "node_modules");
  if (!existsSync(modules)) return;
  for (const name of readdirSync(modules)) {
    if (name.startsWith(".")) continue;
    const names = name.startsWith("@")
      ? readdirSync(join(modules, name)).map((one) => join(name, one))
      : [name];
    for (const one of names) {
      const target = realpathSync(join(modules, one));
      const copy = GROUPS.map((group) => join(here, group)).some((path) => target.startsWith(path));
      const from = join(folder, member, "node_modules", one);
      mkdirSync(join(from, ".."), { recursive: true });
      link(copy ? join(folder, target.slice(here.length)) : target, from);
    }
  }
}

// A junction is what Windows lets everyone make; elsewhere it is an ordinary link.
function link(target, path) {
  symlinkSync(target, path, "junction");
}

/**
 * Runs the tests in `files` that name one of `laws`, up to the first that fails: its name is
 * `failed`. `hung` and `broken` tell why there is none.
 */
function runTests(folder, files, laws, withinMs) {
  const child = spawn(
    process.execPath,
    [
      join(here, "node_modules/vitest/vitest.mjs"),
      "run",
      "--config=laws.config.mjs",
      `--reporter=${join(here, "scripts/laws/tell-failure.mjs")}`,
      `--testNamePattern=\\b(?:${laws.join("|")})\\b`,
      ...files,
    ],
    { cwd: folder, stdio: ["ignore", "pipe", "pipe"] },
  );
  let out = "";
  let err = "";
  child.stdout.on("data", (text) => {
    out += text;
  });
  child.stderr.on("data", (text) => {
    err += text;
  });
  let hung = false;
  const timer = setTimeout(() => {
    hung = true;
    child.kill("SIGKILL");
  }, withinMs);
  return new Promise((settle, fail) => {
    child.on("error", fail);
    child.on("close", () => {
      clearTimeout(timer);
      const [, told] = /^told: (.*)$/m.exec(out) ?? [];
      settle(
        told === undefined ? { hung, passed: 0, broken: hung ? undefined : err } : JSON.parse(told),
      );
    });
  });
}
