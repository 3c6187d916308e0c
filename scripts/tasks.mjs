#!/usr/bin/env node
// Every command of the workspace: node scripts/tasks.mjs <task> [arguments]
// Needs only Node and npm: the first run on a fresh clone installs what is missing.
import { install } from "./tasks/install.mjs";
import { bundle, checkPackages, pack, TRIALS, tryPackages } from "./tasks/packages.mjs";
import { local, node, turbo } from "./tasks/run.mjs";
import { conclude, runHostile, runTests, runTestsOnNewest } from "./tasks/tests.mjs";

const CHANGESETS = local("@changesets/cli/bin.js");
const FIXTURES = "packages/conformance/fixtures";

// Tasks that build need pnpm. The others start half a second earlier without it.
const TASKS = {
  demo: {
    says: "builds and starts the chat",
    needsPnpm: true,
    async run(args) {
      await turbo("build", "--filter=demo-chat...");
      await node("apps/demo-chat/dist/main.js", args);
    },
  },
  test: {
    says: "runs all tests and measures the coverage of core, or: test <part of a path>",
    async run(args) {
      conclude([await runTests(args)]);
    },
  },
  "test:nodes": {
    says: "runs the tests on this Node and on the newest one, which npm fetches",
    async run(args) {
      step(`tests on Node ${process.versions.node}`);
      const results = [await runTests(args)];
      step("tests on the newest Node");
      results.push(await runTestsOnNewest(args));
      conclude(results);
    },
  },
  check: {
    says: "checks everything that must pass before a merge; --no-tests skips laws and tests",
    needsPnpm: true,
    needsSite: true,
    run: check,
  },
  "laws:break": {
    says: "breaks each law and requires a test of it to fail, or: laws:break L7",
    run: (args) => node("scripts/laws.mjs", args),
  },
  build: {
    says: "builds the packages",
    needsPnpm: true,
    run: (args) => turbo("build", ...args),
  },
  bench: {
    says: "benchmarks the built packages",
    needsPnpm: true,
    async run(args) {
      await turbo("build", "--filter=@upgrade/bench...");
      await node("packages/bench/dist/main.js", args);
    },
  },
  diagnosis: {
    says: "plays every way an upgrade breaks with our probe, curl, wscat and openssl, and records it",
    async run() {
      await bundle("diagnosis", "cli");
      await node("packages/cli/node_modules/.diagnosis/main.js", ["packages/cli"]);
      const record = "packages/cli/diagnosis/recorded.json";
      await node(local("@biomejs/biome/bin/biome"), ["format", "--write", record]);
    },
  },
  fuzz: {
    says: "fuzzes the core: --seconds N, --seed S, --corpus DIR; or --faults",
    async run(args) {
      if (args[0] === "--faults") {
        await node("scripts/faults.mjs", args.slice(1));
        return;
      }
      await bundle("fuzz");
      await node("packages/conformance/dist/fuzz/main.js", [FIXTURES, ...args]);
    },
  },
  differential: {
    says: "compares the core with other implementations: --mutations N, --seed S",
    async run(args) {
      await bundle("fuzz");
      await node("packages/conformance/dist/fuzz/differential.js", [FIXTURES, ...args]);
    },
  },
  churn: {
    says: "opens and ends thousands of connections and measures leaks: --connections N, --seed S",
    async run(args) {
      await bundle("churn");
      await node("packages/conformance/dist/churn/main.js", args);
    },
  },
  hostile: {
    says: "plays the fixtures split at every byte and over failing transports; test plays a sample",
    run: runHostile,
  },
  runtimes: {
    says: "plays the packed packages in other runtimes: --install all, --require bun,deno, --record",
    needsPnpm: true,
    async run(args) {
      await node("scripts/runtimes.mjs", [...args, ...(await pack())]);
    },
  },
  docs: {
    says: "regenerates pages and checks all pages; --check writes nothing",
    run: (args) => node("scripts/docs.mjs", args),
  },
  site: {
    says: "builds the documentation as a site and checks it; --serve shows it",
    needsSite: true,
    async run(args) {
      await node("apps/site/src/main.mjs");
      if (args.includes("--serve")) await node("apps/site/src/serve.mjs");
    },
  },
  pack: {
    says: "packs the packages into .pack, as published",
    needsPnpm: true,
    async run() {
      for (const tarball of await pack()) console.log(tarball);
    },
  },
  version: {
    says: "turns the changesets into versions and changelogs",
    run: () => node(CHANGESETS, ["version"]),
  },
  publish: {
    says: "builds and publishes each package whose version the registry does not have",
    needsPnpm: true,
    async run() {
      await turbo("build", "--filter=./packages/*");
      await node(CHANGESETS, ["publish"]);
    },
  },
  ...Object.fromEntries(
    Object.entries(TRIALS).map(([trial, says]) => {
      return [trial, { says, needsPnpm: true, run: () => tryPackages(trial) }];
    }),
  ),
};

const [name = "", ...args] = process.argv.slice(2);
if (!Object.hasOwn(TASKS, name)) {
  console.error(usage());
  process.exit(2);
}
process.env.TURBO_TELEMETRY_DISABLED = "1";
const { run, needsPnpm = false, needsSite = false } = TASKS[name];
await install({ needsPnpm, needsSite });
await run(args);

function usage() {
  const tasks = Object.entries(TASKS).map(([task, { says }]) => `  ${task.padEnd(12)}  ${says}`);
  return `usage: node scripts/tasks.mjs <task> [arguments]\n\n${tasks.join("\n")}`;
}

async function check(args) {
  step("format and lint");
  await node(local("@biomejs/biome/bin/biome"), ["check", "--error-on-warnings"]);
  step("types");
  await node(local("typescript/bin/tsc"), ["-p", "."]);
  await turbo("typecheck");
  step("docs");
  await node("scripts/docs.mjs", ["--check"]);
  step("site");
  await node("apps/site/src/main.mjs");
  step("packages");
  await checkPackages();
  step("sizes");
  await node(local("size-limit/bin.js"));
  if (args.includes("--no-tests")) return;
  step("laws");
  await node("scripts/laws.mjs");
  step("tests");
  conclude([await runTests(args)]);
}

function step(title) {
  console.log(`\n- ${title}`);
}
