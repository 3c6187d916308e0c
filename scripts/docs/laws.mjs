// docs/laws.md: each law with the tests that name it and the patches that break it.
import { findNamed } from "../laws/named.mjs";
import { FOLDER, faultsOf, readLaws, readPatches } from "../laws/patches.mjs";
import { NOTE, page, table } from "./pages.mjs";
import { escaped, proofLink } from "./requirements.mjs";

/** The page, the faults of the laws' tests and patches, and a summary line. */
export function lawsPage() {
  const laws = readLaws();
  const patches = readPatches();
  const named = findNamed();
  const unnamed = laws.filter(({ law }) => !named.some((test) => test.laws.includes(law)));
  const faults = [...faultsOf(laws, patches), ...unnamed.map(({ law }) => `no test names ${law}`)];
  const summary = `${laws.length} laws: ${named.length} titles and stories name them, ${patches.length} patches break them`;
  return { text: textOf(laws, named, patches, summary), faults, summary };
}

function textOf(laws, named, patches, summary) {
  const sections = laws.flatMap(({ law, says }) => [
    `## ${law}`,
    says,
    table(
      ["patch", "what it breaks"],
      patches.filter((patch) => patch.law === law).map(patchCells),
    ),
    `Tests:\n\n${testsOf(named.filter((test) => test.laws.includes(law)))}`,
  ]);
  return page(
    "# The laws and their tests",
    NOTE("ARCHITECTURE.md, packages/conformance/laws and the tests"),
    "Each [law](../ARCHITECTURE.md#the-laws) has tests that name it, and one-line patches that break it in plausible ways. `npm run laws:break` applies one patch at a time to a copy of the sources and requires a test of that law to fail; `npm run laws:break L7` tries the patches of one law. A group of tests is listed by its own title.",
    `**${summary}.**`,
    ...sections,
  );
}

function patchCells({ name, says }) {
  const title = name.replace(/^L[0-9]+-(.*)\.patch$/, "$1");
  return [`[${title}](../${FOLDER}${name})`, escaped(says)];
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
