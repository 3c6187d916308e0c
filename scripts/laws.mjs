#!/usr/bin/env node
// Breaks every law on purpose, one mutation at a time, and requires a test of that law to fail:
// node scripts/laws.mjs [L7 | part of a mutation's name …]
import { faultsOf, readLaws } from "./laws/judge.mjs";
import { findNamed } from "./laws/named.mjs";
import { makeSandbox } from "./laws/sandbox.mjs";
import { applyTo } from "./mutations/apply.mjs";
import { isCalled, readBook } from "./mutations/book.mjs";
import { readSources } from "./mutations/sources.mjs";

const AT_ONCE = 2;
/** A run that takes longer counts as hung: with one law broken, and with all tests at once. */
const RUN_MS = 60_000;
const RUN_ALL_MS = 300_000;
/** Laws that may show a breach by hanging. */
const MAY_HANG = new Set(["L8", "L13"]);

const wanted = process.argv.slice(2);
const sources = readSources();
const named = findNamed();
const book = readBook();
const mutations = book.filter(
  (mutation) =>
    mutation.law !== undefined && (wanted.length === 0 || wanted.some(isCalled(mutation))),
);
const faults = faultsOf(readLaws(), book, named, sources);
if (mutations.length === 0) faults.push(`no mutation is called ${wanted.join(" or ")}`);

const started = Date.now();
if (faults.length === 0) await tryAll();
for (const fault of faults) console.error(fault);
console.log(
  `${mutations.length} mutations, ${faults.length} faults, ${((Date.now() - started) / 1000).toFixed(0)} s`,
);
if (faults.length > 0) process.exit(1);

async function tryAll() {
  // A test that fails anyway would prove nothing: first, all of them must pass.
  const tries = [
    tryNothing,
    ...mutations.map((mutation) => (sandbox) => tryMutation(sandbox, mutation)),
  ];
  const sandboxes = Array.from({ length: AT_ONCE }, makeSandbox);
  const remove = () => {
    for (const sandbox of sandboxes) sandbox.remove();
  };
  process.once("SIGINT", () => {
    remove();
    process.exit(130);
  });
  try {
    await Promise.all(
      sandboxes.map(async (sandbox) => {
        for (let next = tries.shift(); next !== undefined; next = tries.shift())
          await next(sandbox);
      }),
    );
  } finally {
    remove();
  }
}

async function tryNothing(sandbox) {
  const concerned = [...new Set(mutations.map(({ law }) => law))];
  const { passed, failed, broken, hung } = await sandbox.run(
    filesOf(concerned),
    concerned,
    RUN_ALL_MS,
  );
  if (failed !== undefined) faults.push(`fails without any mutation: ${failed}`);
  else if (hung || broken !== undefined)
    faults.push(`without any mutation: ${broken ?? "the run hangs"}`);
  else console.log(`${passed} tests name a law and pass`);
}

async function tryMutation(sandbox, mutation) {
  const { law, says } = mutation;
  const { changed } = applyTo(sources, mutation);
  for (const [file, text] of changed) sandbox.write(file, text);
  const from = Date.now();
  const result = await sandbox.run(filesOf([law]), [law], RUN_MS);
  for (const file of changed.keys()) sandbox.write(file, sources.get(file));
  const { failed, hung, broken, passed } = result;
  const noticed = failed ?? (hung && MAY_HANG.has(law) ? "a run that hangs" : undefined);
  const why = hung ? "the run hangs" : (broken?.trim().split("\n", 1)[0] ?? `${passed} tests pass`);
  if (noticed === undefined) faults.push(`${law}: ${says}: not noticed: ${why}`);
  const seconds = ((Date.now() - from) / 1000).toFixed(1);
  console.log(`${law}: ${says}: ${noticed ?? `NOT NOTICED, ${why}`} (${seconds} s)`);
}

/** The test files that name one of these laws. */
function filesOf(which) {
  const naming = named.filter((test) => test.laws.some((law) => which.includes(law)));
  return [...new Set(naming.map(({ runs }) => runs))];
}
