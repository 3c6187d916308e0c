// Compares what was played with what is known to fail in a runtime, and with the recorded matrix.
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { root } from "../tasks/run.mjs";

const FOLDER = join(root, "packages/conformance/runtimes");
const KNOWN = join(FOLDER, "known.json");
const RECORDED = join(FOLDER, "recorded.json");

/**
 * What a runtime gets wrong: `{ runtimes, transport, because }`, and the names of the cases that fail,
 * as `cases`, or all others as `allBut`. A case of `sometimes` fails or passes by chance.
 */
export const readKnown = () => JSON.parse(readFileSync(KNOWN, "utf8"));

/** `{ cases, runtimes: [{ word, name, version, transports: { name: passed } }] }`. */
export const readRecorded = () => JSON.parse(readFileSync(RECORDED, "utf8"));

/** Counts the cases of one runtime that pass always, and lists those that should have, or should not. */
export function judge(word, results, allKnown = readKnown()) {
  const known = allKnown.filter(({ runtimes }) => runtimes.includes(word));
  const transports = {};
  const faults = [];
  for (const { transport, case: name, failed } of results) {
    const here = known.filter((one) => one.transport === transport);
    const isChance = here.some(({ sometimes = [] }) => sometimes.includes(name));
    const isKnown = here.some((one) => lists(one, name));
    transports[transport] ??= 0;
    if (isChance) continue;
    if (failed === undefined) transports[transport]++;
    if (failed !== undefined && !isKnown) faults.push(`${transport}: ${name}: ${failed}`);
    if (failed === undefined && isKnown) faults.push(`${transport}: ${name}: no longer fails`);
  }
  for (const { transport, cases, allBut, sometimes = [] } of known) {
    const names = new Set(results.filter((one) => one.transport === transport).map(nameOf));
    const missing = [...(cases ?? allBut), ...sometimes].filter((name) => !names.has(name));
    faults.push(...missing.map((name) => `${transport}: ${name}: known, but not played`));
  }
  return { transports, faults };
}

const nameOf = ({ case: name }) => name;

function lists({ cases, allBut }, name) {
  return cases === undefined ? !allBut.includes(name) : cases.includes(name);
}

/** What differs from the recorded matrix. */
export function differences(word, transports, cases) {
  const recorded = readRecorded();
  const before = recorded.runtimes.find((one) => one.word === word)?.transports;
  const isSame = recorded.cases === cases && JSON.stringify(before) === JSON.stringify(transports);
  return isSame ? [] : ["the recorded matrix differs: npm run runtimes -- --record"];
}

/** Records what was played; other runtimes keep their rows if they were played with the same cases. */
export function record(cases, played, order) {
  const before = readRecorded();
  const kept = before.cases === cases ? before.runtimes : [];
  const runtimes = order.flatMap((word) => {
    const row = [...played, ...kept].find((one) => one.word === word);
    return row === undefined ? [] : [row];
  });
  writeFileSync(RECORDED, `${JSON.stringify({ cases, runtimes }, undefined, 2)}\n`);
}
