// Makes copies of the workspace whose sources can be broken; the checkout is never touched.
import { spawn } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { root } from "../mutations/book.mjs";

const here = fileURLToPath(root);
const GROUPS = ["packages", "apps"];
const NOT_COPIED = new Set(["node_modules", "dist", "coverage", ".pages", ".turbo"]);

// One project and no cache: starting vitest costs more than the few tests of a law.
const CONFIG = `
import base from "./vitest.config.ts";
export default {
  resolve: base.resolve,
  ssr: base.ssr,
  test: { include: ["*/*/{src,test}/**/*.test.ts"], cache: false, maxWorkers: 1, bail: 1 },
};
`;

/** Creates a copy. Several may exist at once. */
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
    write,
    run,
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };

  function write(file, text) {
    writeFileSync(join(folder, file), text);
  }
  function run(files, laws, withinMs) {
    return runTests(folder, files, laws, withinMs);
  }
}

// Links workspace packages to their copies, and all others to their installed location.
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

// Windows lets any user create a junction; elsewhere this is an ordinary symlink.
function link(target, path) {
  symlinkSync(target, path, "junction");
}

/**
 * Runs the tests in `files` that name one of `laws`, or all if there are none, until one fails: `failed` is its name. `hung`
 * and `broken` say why there is none.
 */
function runTests(folder, files, laws, withinMs) {
  const child = spawn(
    process.execPath,
    [
      join(here, "node_modules/vitest/vitest.mjs"),
      "run",
      "--config=laws.config.mjs",
      `--reporter=${join(here, "scripts/laws/report-failure.mjs")}`,
      ...(laws.length > 0 ? [`--testNamePattern=\\b(?:${laws.join("|")})\\b`] : []),
      // A test that hangs must not use up the time of all.
      `--testTimeout=${withinMs / 10}`,
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
      const [, result] = /^result: (.*)$/m.exec(out) ?? [];
      settle(
        result === undefined
          ? { hung, passed: 0, broken: hung ? undefined : err }
          : JSON.parse(result),
      );
    });
  });
}
