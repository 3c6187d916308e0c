#!/usr/bin/env node
// Plays the suite of packages/conformance/runtimes in the runtimes that are installed:
//   node scripts/runtimes.mjs [--install WORDS] [--require WORDS] [--only WORDS] [--record] <tarball>...
// WORDS are names of scripts/runtimes/catalog.mjs, with commas, or "all". What is required is also
// installed, and a skip of it is a failure. With --record the results become the page's.
import { resolve } from "node:path";
import { projectWith } from "./packages/project.mjs";
import { buildPrograms } from "./runtimes/build.mjs";
import { find, install, modulesOf, RUNTIMES, versionOf } from "./runtimes/catalog.mjs";
import { differences, judge, record } from "./runtimes/judge.mjs";
import { sampleFaults } from "./runtimes/samples.mjs";

/** How many runtimes play at once: each waits more than it works. */
const AT_ONCE = 2;

const { words, isRecording, tarballs } = readArguments(process.argv.slice(2));
for (const word of [...words.install, ...words.require]) install(word);

const project = projectWith(tarballs, { type: "module" });
const played = [];
let passed = 0;
let failed = 0;
const left = Object.keys(RUNTIMES).filter((word) => words.only.includes(word));
await Promise.all(
  Array.from({ length: AT_ONCE }, async () => {
    for (let word = left.shift(); word !== undefined; word = left.shift()) await play(word);
  }),
);
const cases = Math.max(...played.map(({ cases: count }) => count));
if (isRecording) {
  const rows = played.map(({ word, name, version, transports }) => ({
    word,
    name,
    version,
    transports,
  }));
  record(cases, rows, Object.keys(RUNTIMES));
} else {
  for (const { word, name, transports } of played) {
    for (const fault of differences(word, transports, cases)) fail(name, fault);
  }
}
console.log(`${passed} cases in runtimes passed, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);

async function play(word) {
  const { name, programs, conditions, play: playIn, check, samples } = RUNTIMES[word];
  const binary = find(word);
  if (binary === undefined) {
    if (words.require.includes(word)) fail(name, "it is required, but not installed");
    else console.log(`${name}: skipped, not installed (npm run runtimes -- --install ${word})`);
    return;
  }
  await buildPrograms(project, programs, conditions);
  const results = [];
  const printed = await playIn(binary, project, (result) => results.push(result));
  const complaints = check?.(word, project, binary, modulesOf(word)) ?? "";
  if (complaints !== "") fail(name, `the types do not fit\n${complaints}`);
  for (const fault of await sampleFaults(binary, samples, project)) fail(name, fault);
  const { transports, faults } = judge(word, results);
  const counts = Object.values(countsOf(results));
  const version = versionOf(binary);
  const whole = counts.reduce((sum, count) => sum + count, 0);
  console.log(`${name} ${version}: ${whole} cases on ${counts.length} transports`);
  for (const fault of faults) fail(name, fault);
  passed += whole - faults.length;
  // A program that ended early has played some transport in part.
  if (counts.length === 0 || new Set(counts).size > 1) fail(name, `it ended early\n${printed}`);
  played.push({ word, name, version, transports, cases: Math.max(0, ...counts) });
}

function countsOf(results) {
  const counts = {};
  for (const { transport } of results) counts[transport] = (counts[transport] ?? 0) + 1;
  return counts;
}

function fail(name, why) {
  failed++;
  console.error(`${name}: ${why}`);
}

function readArguments(args) {
  const found = { words: { install: [], require: [], only: Object.keys(RUNTIMES) } };
  const files = [];
  let recording = false;
  for (let arg = args.shift(); arg !== undefined; arg = args.shift()) {
    const list = /^--(install|require|only)$/.exec(arg)?.[1];
    if (list !== undefined) found.words[list] = listed(args.shift());
    else if (arg === "--record") recording = true;
    else files.push(resolve(arg));
  }
  return { ...found, isRecording: recording, tarballs: files };
}

function listed(text = "") {
  const all = Object.keys(RUNTIMES);
  if (text === "all") return all;
  const wanted = text.split(",");
  const unknown = wanted.filter((word) => !all.includes(word));
  if (unknown.length === 0) return wanted;
  console.error(`unknown: ${unknown.join(", ")}; known are ${all.join(", ")}`);
  process.exit(2);
}
