#!/usr/bin/env node
// Breaks every law on purpose, one mutation at a time, and requires a test of that law to fail; and
// what packages promise beside the laws, by tests of the package:
// node scripts/laws.mjs [L7 | @upgrade/node | part of a mutation's name …]
import { faultsOf, readLaws } from "./laws/judge.mjs";
import { findNamed, testsOfMember } from "./laws/named.mjs";
import { makeSandbox } from "./laws/sandbox.mjs";
import { applyTo } from "./mutations/apply.mjs";
import { FUZZER, isCalled, readBook } from "./mutations/book.mjs";
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
    mutation.chapter !== FUZZER && (wanted.length === 0 || wanted.some(isCalled(mutation))),
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
    ...concernedBy(mutations).map((tests) => (sandbox) => tryNothing(sandbox, tests)),
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

async function tryNothing(sandbox, { files, laws }) {
  const { passed, failed, broken, hung } = await sandbox.run(files, laws, RUN_ALL_MS);
  if (failed !== undefined) faults.push(`fails without any mutation: ${failed}`);
  else if (hung || broken !== undefined)
    faults.push(`without any mutation: ${broken ?? "the run hangs"}`);
  else console.log(`${passed} tests ${laws.length > 0 ? "name a law" : "of a package"} and pass`);
}

async function tryMutation(sandbox, mutation) {
  const { law, says } = mutation;
  const what = law ?? `@upgrade/${mutation.member}`;
  const { files, laws } = testsFor([mutation]);
  const { changed } = applyTo(sources, mutation);
  for (const [file, text] of changed) sandbox.write(file, text);
  const from = Date.now();
  const result = await sandbox.run(files, laws, RUN_MS);
  for (const file of changed.keys()) sandbox.write(file, sources.get(file));
  const { failed, hung, broken, passed } = result;
  const noticed = failed ?? (hung && MAY_HANG.has(law) ? "a run that hangs" : undefined);
  const why = hung ? "the run hangs" : (broken?.trim().split("\n", 1)[0] ?? `${passed} tests pass`);
  if (noticed === undefined) faults.push(`${what}: ${says}: not noticed: ${why}`);
  const seconds = ((Date.now() - from) / 1000).toFixed(1);
  console.log(`${what}: ${says}: ${noticed ?? `NOT NOTICED, ${why}`} (${seconds} s)`);
}

/** What must pass before: the tests of the laws at once, and those of each package. */
function concernedBy(all) {
  const members = new Set(all.map(({ member }) => member).filter(Boolean));
  const groups = [
    all.filter(({ law }) => law !== undefined),
    ...[...members].map((name) => all.filter(({ member }) => member === name)),
  ];
  return groups.filter((group) => group.length > 0).map(testsFor);
}

/** The tests that must notice some mutations, of laws or of one package: files, and laws they name. */
function testsFor(some) {
  const [{ member }] = some;
  if (member !== undefined) return { files: testsOfMember(member), laws: [] };
  const laws = [...new Set(some.map(({ law }) => law))];
  const naming = named.filter((test) => test.laws.some((law) => laws.includes(law)));
  return { files: [...new Set(naming.map(({ runs }) => runs))], laws };
}
