#!/usr/bin/env node
// Generates pages and checks all pages: node scripts/docs.mjs [--check]
// With --check it writes nothing and fails if a generated page would change.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { checkReference } from "../apps/site/src/reference/check.mjs";
import { corporaPage } from "./docs/corpora.mjs";
import { coveragePage } from "./docs/coverage.mjs";
import { diagnosisPage } from "./docs/diagnosis.mjs";
import { differencesPage } from "./docs/differences.mjs";
import { evidenceIndex } from "./docs/evidence.mjs";
import { checkGlossary } from "./docs/glossary.mjs";
import { hyperPage } from "./docs/hyper.mjs";
import { lawsPage } from "./docs/laws.mjs";
import { checkLayers } from "./docs/layers.mjs";
import { checkLinks } from "./docs/links.mjs";
import { markdownFiles, root } from "./docs/markdown.mjs";
import { generatedPages } from "./docs/pages.mjs";
import { performanceFigures } from "./docs/performance.mjs";
import { requirementsPage } from "./docs/requirements.mjs";
import { runtimesPage } from "./docs/runtimes.mjs";
import { sizeFigures } from "./docs/sizes.mjs";
import { checkSnippets } from "./docs/snippets.mjs";
import { loadDifferences, loadRequirements, loadTables, loadVerdicts } from "./docs/tables.mjs";
import { verdictsPage } from "./docs/verdicts.mjs";

const checkOnly = process.argv.includes("--check");
const faults = [];

const requirements = await loadRequirements();
const evidence = {
  "docs/evidence/rfc-map.md": requirementsPage(requirements),
  "docs/evidence/hyper.md": hyperPage(requirements),
  "docs/evidence/corpora.md": corporaPage(requirements),
  "docs/evidence/differences.md": differencesPage(await loadDifferences()),
  "docs/evidence/laws.md": lawsPage(),
  "docs/evidence/coverage.md": coveragePage(),
  "docs/evidence/runtimes.md": runtimesPage(),
  "docs/evidence/diagnosis.md": diagnosisPage(),
};
const performance = performanceFigures();
const index = evidenceIndex({ ...evidence, "docs/evidence/performance.md": performance });
const checked = [...Object.values(evidence), performance, sizeFigures(), index];
faults.push(...checked.flatMap(({ faults: found }) => found));
const pages = {
  ...generatedPages(await loadTables()),
  "docs/verdicts.md": verdictsPage(await loadVerdicts()),
  ...Object.fromEntries(Object.entries(evidence).map(([page, { text }]) => [page, text])),
  "docs/evidence/README.md": index.text,
};
for (const [page, text] of Object.entries(pages)) {
  const file = new URL(page, root);
  const before = existsSync(file) ? readFileSync(file, "utf8") : undefined;
  if (before === text) continue;
  if (checkOnly) faults.push(`${page} would change: npm run docs`);
  else {
    writeFileSync(file, text);
    console.log(`wrote ${page}`);
  }
}

const files = markdownFiles();
const links = checkLinks(files);
const snippets = checkSnippets(files);
const words = checkGlossary();
const reference = checkReference();
faults.push(...links.faults, ...snippets.faults, ...words.faults, ...checkLayers());
faults.push(...reference.faults);

for (const fault of faults) console.error(fault);
for (const { summary } of [...Object.values(evidence), performance]) console.log(summary);
console.log(
  `${Object.keys(pages).length} of ${files.length} pages generated: ` +
    `${links.count} links, ${snippets.blocks} blocks and ${snippets.examples} examples, ` +
    `${words.count} words of the glossary, ${reference.count} public names; ${faults.length} faults`,
);
if (faults.length > 0) process.exit(1);
