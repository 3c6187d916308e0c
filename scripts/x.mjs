#!/usr/bin/env node
// Every command of the workspace: node scripts/x.mjs <task> [arguments]
// Needs only Node and npm: the first run on a fresh clone installs what is missing.

import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { coverageArguments, judgeCoverage } from "./coverage.mjs";
import { newestNode, pathWith } from "./npm.mjs";

const root = fileURLToPath(new URL("..", import.meta.url));
const windows = process.platform === "win32";
const { packageManager } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const fixtures = "packages/conformance/fixtures";
const published = ["core", "client", "server"];

const tasks = {
  /** Builds and starts the chat. */
  async demo(args) {
    await build("--filter=demo-chat...");
    await node("apps/demo-chat/dist/main.js", args);
  },

  /**
   * Runs the tests, from the sources: `npm test framing` runs the files whose path contains that.
   * A full run also measures the coverage of core.
   */
  async test(args) {
    conclude([await runTests(process.execPath, args)]);
  },

  /** Runs the tests on this Node and on the newest one, fetched by npm, and adds up the counts. */
  async "test:nodes"(args) {
    step(`tests on Node ${process.versions.node}`);
    const results = [await runTests(process.execPath, args)];
    step("tests on the newest Node");
    results.push(await runTestsOnNewest(args));
    conclude(results);
  },

  /** Everything that must pass before a merge; `--no-tests` skips laws and tests. */
  async check(args) {
    step("format and lint");
    await node(local("@biomejs/biome/bin/biome"), ["check", "--error-on-warnings"]);
    step("types");
    await node(local("typescript/bin/tsc"), ["-p", "."]);
    await turbo("typecheck");
    step("docs");
    await node("scripts/docs.mjs", ["--check"]);
    step("packages");
    const tarballs = await pack();
    for (const tarball of tarballs) {
      await node(local("publint/src/cli.js"), ["run", tarball, "--strict"]);
      await node(local("@arethetypeswrong/cli/dist/index.js"), [tarball, "--profile", "node16"]);
    }
    await node("scripts/tarballs.mjs", tarballs);
    if (args.includes("--no-tests")) return;
    step("laws");
    await tasks["laws:break"]([]);
    step("tests");
    await tasks.test(args);
  },

  /** Breaks each law on purpose and requires a test of it to fail: `npm run laws:break L7`. */
  async "laws:break"(args) {
    await node("scripts/laws.mjs", args);
  },

  async build(args) {
    await build(...args);
  },

  /** Benchmarks the built packages. */
  async bench(args) {
    await build("--filter=@upgrade/bench...");
    await node("packages/bench/dist/main.js", args);
  },

  /** Fuzzes the core: --seconds N, --seed S, --corpus DIR; or --faults. */
  async fuzz(args) {
    if (args[0] === "--faults") {
      await node("packages/conformance/fuzz/faults.mjs", args.slice(1));
      return;
    }
    await bundle("fuzz");
    await node("packages/conformance/dist/fuzz/main.js", [fixtures, ...args]);
  },

  /** Compares the core with other implementations: --mutations N, --seed S. */
  async differential(args) {
    await bundle("fuzz");
    await node("packages/conformance/dist/fuzz/differential.js", [fixtures, ...args]);
  },

  /** Opens and ends thousands of connections and measures leaks: --connections N, --seed S. */
  async churn(args) {
    await bundle("churn");
    await node("packages/conformance/dist/churn/main.js", args);
  },

  /** Plays the fixtures split at every byte, and over failing transports; tests play a sample. */
  async hostile(args) {
    const vitest = [local("vitest/vitest.mjs"), "run", "--project=conformance"];
    const every = { UPGRADE_EVERY_MOMENT: "1" };
    const code = await exitCode(process.execPath, [...vitest, "fixtures-", ...args], every);
    if (code !== 0) process.exit(code);
  },

  /** Regenerates pages and checks all pages. */
  async docs(args) {
    await node("scripts/docs.mjs", args);
  },

  /** Packs the packages into .pack, as published. */
  async pack() {
    for (const tarball of await pack()) console.log(tarball);
  },

  /** Packs, installs the tarballs in an empty project and runs the README's example against them. */
  async tarballs() {
    await node("scripts/tarballs.mjs", await pack());
  },
};

/** Runs the tests with the Node at `program`; returns the counts and the exit code. */
async function runTests(program, args) {
  const folder = mkdtempSync(join(tmpdir(), "upgrade-test-"));
  const file = join(folder, "counts.json");
  const reporters = ["--reporter=./scripts/count-tests.mjs"];
  if (!args.some((arg) => arg.startsWith("--reporter"))) reporters.unshift("--reporter=default");
  const measured = args.length === 0 ? coverageArguments(folder) : [];
  const code = await exitCode(
    program,
    [local("vitest/vitest.mjs"), "run", ...reporters, ...measured, ...args],
    { UPGRADE_TEST_COUNTS: file },
  );
  // Without the file, vitest did not get to running tests.
  const counts = existsSync(file)
    ? JSON.parse(readFileSync(file, "utf8"))
    : { passed: 0, failed: code === 0 ? 0 : 1 };
  const covered = reportCoverage(join(folder, "coverage-final.json"), counts.failed > 0);
  rmSync(folder, { recursive: true, force: true });
  return { ...counts, code: code !== 0 || counts.failed > 0 || !covered ? code || 1 : 0 };
}

/** If the newest Node cannot be fetched, that counts as a failure in the last line. */
async function runTestsOnNewest(args) {
  try {
    const newest = newestNode();
    if (newest !== undefined) return await runTests(newest, args);
    console.log(`this one is as new, or there is none for ${process.platform} ${process.arch}`);
    return { passed: 0, failed: 0, code: 0 };
  } catch (error) {
    console.error(error.message);
    return { passed: 0, failed: 1, code: 1 };
  }
}

/** Prints the last line with the counts of all runs, and fails if any run failed. */
function conclude(results) {
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failed, 0);
  console.log(`${passed} passed, ${failed} failed`);
  const { code = 0 } = results.find((result) => result.code !== 0) ?? {};
  if (code !== 0) process.exit(code);
}

async function build(...args) {
  await turbo("build", ...args);
}

// From the sources, because they are what is under test.
async function bundle(program) {
  const cwd = join(root, "packages/conformance");
  const config = `${program}/tsup.config.ts`;
  const args = [local("tsup/dist/cli-default.js"), "--config", config, "--silent"];
  await run(process.execPath, args, { cwd });
}

async function turbo(task, ...args) {
  await node(local("turbo/bin/turbo"), [
    "run",
    task,
    "--output-logs=errors-only",
    "--ui=stream",
    ...args,
  ]);
}

async function pack() {
  await build(...published.map((name) => `--filter=@upgrade/${name}`));
  const folder = join(root, ".pack");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  for (const name of published) {
    await run("pnpm", ["--silent", "pack", "--pack-destination", "../../.pack"], {
      cwd: join(root, "packages", name),
      stdio: ["ignore", "ignore", "inherit"],
      shell: windows,
    });
  }
  return readdirSync(folder).map((name) => join(folder, name));
}

function step(name) {
  console.log(`\n- ${name}`);
}

/** False if something is uncovered without a reason. After a failed test that is not reported. */
function reportCoverage(file, haveFailed) {
  if (!existsSync(file)) return true;
  const { says, faults } = judgeCoverage(file);
  if (!haveFailed) for (const fault of faults) console.error(fault);
  console.log(says);
  return haveFailed || faults.length === 0;
}

/** A program in the workspace's node_modules, by path, which works on every system. */
function local(file) {
  return join(root, "node_modules", file);
}

async function node(file, args = []) {
  await run(process.execPath, [resolve(root, file), ...args]);
}

async function run(command, args, options) {
  const code = await exitCode(command, args, {}, options);
  if (code !== 0) process.exit(code);
}

/** Runs a command in the foreground and forwards signals to it. */
function exitCode(command, args, env = {}, options = {}) {
  const child = spawn(command, args, {
    cwd: root,
    stdio: "inherit",
    env: { ...process.env, ...env },
    ...options,
  });
  const forward = (signal) => {
    // A terminal also sends Ctrl-C to the child; many programs take a second one as "quit now".
    if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) process.on(signal, forward);
  return new Promise((settle, fail) => {
    child.on("error", fail);
    child.on("close", (code) => {
      for (const signal of signals) process.off(signal, forward);
      settle(code ?? 1);
    });
  });
}

/** Puts the pinned pnpm first on PATH, for us and for turbo, which calls it. */
function providePnpm() {
  process.env.PATH = pathWith(packageManager);
}

function installed() {
  return {
    stamp: join(root, "node_modules/.upgrade-installed"),
    wanted: createHash("sha256")
      .update(readFileSync(join(root, "pnpm-lock.yaml")))
      .update(`${packageManager} ${process.platform} ${process.arch}`)
      .digest("hex"),
  };
}

const [name = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(tasks, name)) {
  console.error(
    `usage: node scripts/x.mjs <task> [arguments]\ntasks: ${Object.keys(tasks).join(", ")}`,
  );
  process.exit(2);
}

process.env.TURBO_TELEMETRY_DISABLED = "1";
const { stamp, wanted } = installed();
const current = existsSync(stamp) && readFileSync(stamp, "utf8") === wanted;

// On an installed workspace these need no pnpm, and half a second matters.
const alone = [
  "test",
  "test:nodes",
  "docs",
  "laws:break",
  "fuzz",
  "differential",
  "churn",
  "hostile",
];
if (!current || !alone.includes(name)) providePnpm();
if (!current) {
  await run("pnpm", ["install", "--frozen-lockfile"], { shell: windows });
  writeFileSync(stamp, wanted);
}
await tasks[name](args);
