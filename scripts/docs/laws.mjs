// docs/evidence/laws.md: each law with the tests that name it and the mutations that break it.
import { faultsOf, readLaws } from "../laws/judge.mjs";
import { findNamed } from "../laws/named.mjs";
import { BOOK, readBook } from "../mutations/book.mjs";
import { readSources } from "../mutations/sources.mjs";
import { anchorOf } from "./links.mjs";
import { NOTE, page } from "./pages.mjs";
import { escaped, proofLink, UP } from "./requirements.mjs";

/** The page, the faults of the laws' tests and of all mutations, and a summary line. */
export function lawsPage() {
  const laws = readLaws();
  const book = readBook();
  const named = findNamed();
  const faults = faultsOf(laws, book, named, readSources());
  const mutations = book.filter(({ law }) => law !== undefined);
  const summary = `${laws.length} laws: ${named.length} titles and stories name them, ${mutations.length} mutations break them`;
  return { text: textOf(laws, named, mutations, summary), faults, summary };
}

function textOf(laws, named, mutations, summary) {
  const sections = laws.flatMap(({ law, says }) => [
    `## ${law}`,
    says,
    `Mutations:\n\n${listOf(mutations.filter((mutation) => mutation.law === law))}`,
    `Tests:\n\n${testsOf(named.filter((test) => test.laws.includes(law)))}`,
  ]);
  return page(
    "# The laws and their tests",
    NOTE("ARCHITECTURE.md, packages/conformance/mutations and the tests"),
    "Each [law](../../ARCHITECTURE.md#the-laws) has tests that name it, and [mutations](../../packages/conformance/mutations/README.md) that break it in plausible ways. `npm run laws:break` applies one mutation at a time to a copy of the sources and requires a test of that law to fail; `npm run laws:break L7` tries those of one law. A group of tests is listed by its own title.",
    `**${summary}.**`,
    ...sections,
  );
}

function listOf(mutations) {
  return mutations
    .map(({ chapter, says }) => `- [${escaped(says)}](${UP}${BOOK}${chapter}#${anchorOf(says)})`)
    .join("\n");
}

// One line per file, in source order.
function testsOf(tests) {
  const files = [...new Set(tests.map(({ file }) => file))];
  return files
    .map((file) => {
      const links = tests.filter((test) => test.file === file).map(proofLink);
      return `- ${file.replace(/^.*?\/(?:src|test|fixtures)\//, "")}: ${links.join("; ")}`;
    })
    .join("\n");
}
