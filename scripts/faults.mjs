// Breaks a copy of the packages on purpose, one mutation at a time, and requires the fuzzer to find it:
// node scripts/faults.mjs [--seconds N] [--seed S] [part of a mutation's name …]
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { applyTo } from "./mutations/apply.mjs";
import { FUZZER, isCalled, readBook, root } from "./mutations/book.mjs";
import { readSources } from "./mutations/sources.mjs";

const NOT_COPIED = new Set(["node_modules", "dist", "test"]);

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
  },
});
const path = (relative) => fileURLToPath(new URL(relative, root));
const sources = readSources();
const mutations = readBook().filter(
  (mutation) =>
    mutation.chapter === FUZZER &&
    (positionals.length === 0 || positionals.some(isCalled(mutation))),
);
if (mutations.length === 0) throw new Error(`no mutation is called ${positionals.join(" or ")}`);

const missed = [];
for (const [i, mutation] of mutations.entries()) {
  const copy = mkdtempSync(join(tmpdir(), "upgrade-fault-"));
  // Next to the other programs, so that unbundled imports resolve from there.
  const out = path(`packages/conformance/dist/faults/${i}`);
  try {
    for (const name of ["packages/core", "packages/websocket"]) {
      cpSync(path(name), join(copy, name), {
        recursive: true,
        filter: (file) => !NOT_COPIED.has(basename(file)),
      });
    }
    breakCopy(copy, mutation);
    bundle(join(copy, "packages"), out);
    report(mutation, hunt(out));
  } finally {
    for (const folder of [copy, out]) rmSync(folder, { recursive: true, force: true });
  }
}
console.log(`${mutations.length - missed.length} of ${mutations.length} faults found`);
if (missed.length > 0) process.exit(1);

function breakCopy(copy, mutation) {
  const { changed, faults } = applyTo(sources, mutation);
  if (faults.length > 0) throw new Error(faults.join("\n"));
  for (const [file, text] of changed) writeFileSync(join(copy, file), text);
}

function bundle(copy, out) {
  const tsup = path("node_modules/tsup/dist/cli-default.js");
  const args = [tsup, "--config", path("packages/conformance/fuzz/tsup.config.ts"), "--silent"];
  const cwd = path("packages/conformance");
  const env = { ...process.env, UPGRADE_PACKAGES: copy, UPGRADE_FUZZ_OUT: out };
  const { status } = spawnSync(process.execPath, args, { cwd, env, stdio: "inherit" });
  if (status !== 0) throw new Error("the faulty copy does not bundle");
}

function hunt(out) {
  const args = [
    join(out, "main.js"),
    path("packages/conformance/fixtures"),
    "--seconds",
    values.seconds,
    "--seed",
    values.seed,
  ];
  const { stdout, status } = spawnSync(process.execPath, args, { encoding: "utf8" });
  // Named before it is minimized; a hang is named at the end.
  const [, early, seconds, late] =
    /^(?:(.+), )?found after ([\d.]+) s(?:: (.*))?/m.exec(stdout) ?? [];
  const found = seconds === undefined ? null : { seconds, kind: early ?? late };
  if (status === 1 && found === null) throw new Error(`the fuzzer failed:\n${stdout}`);
  return found;
}

function report({ says }, found) {
  if (found === null) missed.push(says);
  const result = found === null ? "NOT FOUND" : `${found.kind} (${found.seconds} s)`;
  console.log(`${says}: ${result}`);
}
