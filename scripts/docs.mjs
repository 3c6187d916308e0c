#!/usr/bin/env node
// Generates pages and checks all pages: node scripts/docs.mjs [--check]
// With --check it writes nothing and fails if a generated page would change.
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { corporaPage } from "./docs/corpora.mjs";
import { coveragePage } from "./docs/coverage.mjs";
import { differencesPage } from "./docs/differences.mjs";
import { checkGlossary } from "./docs/glossary.mjs";
import { hyperPage } from "./docs/hyper.mjs";
import { lawsPage } from "./docs/laws.mjs";
import { checkLayers } from "./docs/layers.mjs";
import { checkLinks } from "./docs/links.mjs";
import { markdownFiles, root } from "./docs/markdown.mjs";
import { generatedPages } from "./docs/pages.mjs";
import { requirementsPage } from "./docs/requirements.mjs";
import { checkSnippets } from "./docs/snippets.mjs";
import { loadDifferences, loadRequirements, loadTables } from "./docs/tables.mjs";

const checkOnly = process.argv.includes("--check");
const faults = [];

const requirements = await loadRequirements();
const rules = requirementsPage(requirements);
const hyper = hyperPage(requirements);
const corpora = corporaPage(requirements);
const laws = lawsPage();
const coverage = coveragePage();
for (const { faults: found } of [rules, hyper, corpora, laws, coverage]) faults.push(...found);
const pages = {
  ...generatedPages(await loadTables()),
  "docs/rfc-map.md": rules.text,
  "docs/hyper.md": hyper.text,
  "docs/corpora.md": corpora.text,
  "docs/laws.md": laws.text,
  "docs/coverage.md": coverage.text,
  "docs/differences.md": differencesPage(await loadDifferences()),
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
faults.push(...links.faults, ...snippets.faults, ...words.faults, ...checkLayers());

for (const fault of faults) console.error(fault);
console.log([rules, hyper, corpora, laws].map(({ summary }) => summary).join("\n"));
console.log(
  `${Object.keys(pages).length} pages generated, ${files.length} read: ` +
    `${links.count} links, ${snippets.blocks} blocks and ${snippets.examples} examples, ` +
    `${words.count} words of the glossary; ${faults.length} faults`,
);
if (faults.length > 0) process.exit(1);
