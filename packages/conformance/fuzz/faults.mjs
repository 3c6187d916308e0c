// Inserts one known fault at a time into a copy of the core, and requires the fuzzer to find it.
// node faults.mjs [--seconds N] [--seed S] [NAME…]
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    seconds: { type: "string", default: "60" },
    seed: { type: "string", default: "1" },
  },
});
const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const patches = readdirSync(path("faults/")).filter(
  (name) => positionals.length === 0 || positionals.includes(name.replace(/\.patch$/, "")),
);

const missed = [];
for (const patch of patches) {
  const copy = mkdtempSync(join(tmpdir(), "upgrade-fault-"));
  // Next to the other programs, so that unbundled imports resolve from there.
  const out = path(`../dist/faults/${patch}`);
  try {
    for (const part of ["src", "wasm", "package.json"]) {
      cpSync(path(`../../core/${part}`), join(copy, part), { recursive: true });
    }
    apply(readFileSync(path(`faults/${patch}`), "utf8"), copy);
    bundle(copy, out);
    report(patch, hunt(out));
  } finally {
    for (const folder of [copy, out]) rmSync(folder, { recursive: true, force: true });
  }
}
console.log(`${patches.length - missed.length} of ${patches.length} faults found`);
if (missed.length > 0) process.exit(1);

// A unified diff of one file, parsed strictly, so that a fault that no longer applies is noticed.
function apply(patch, copy) {
  const file = /^\+\+\+ b\/packages\/core\/(\S+)/m.exec(patch)[1];
  let text = readFileSync(join(copy, file), "utf8");
  for (const hunk of patch.split(/^@@.*@@.*\n/m).slice(1)) {
    const lines = hunk.split("\n").filter((line) => line !== "");
    const side = (sign) =>
      lines
        .filter((line) => line[0] !== sign)
        .map((line) => `${line.slice(1)}\n`)
        .join("");
    const [before, after, ...more] = text.split(side("+"));
    if (after === undefined || more.length > 0)
      throw new Error(`${file} has no unique place for:\n${hunk}`);
    text = before + side("-") + after;
  }
  writeFileSync(join(copy, file), text);
}

function bundle(copy, out) {
  const tsup = path("../../../node_modules/tsup/dist/cli-default.js");
  const args = [tsup, "--config", path("tsup.config.ts"), "--silent"];
  const env = { ...process.env, UPGRADE_CORE: copy, UPGRADE_FUZZ_OUT: out };
  const { status } = spawnSync(process.execPath, args, { cwd: path(".."), env, stdio: "inherit" });
  if (status !== 0) throw new Error("the faulty copy does not bundle");
}

function hunt(out) {
  const args = [
    join(out, "main.js"),
    path("../fixtures"),
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

function report(patch, found) {
  const name = patch.replace(/\.patch$/, "");
  if (found === null) missed.push(name);
  const says = found === null ? "NOT FOUND" : `${found.seconds.padStart(5)} s  ${found.kind}`;
  console.log(`${name.padEnd(32)} ${says}`);
}
