// docs/evidence/corpora.md: test inputs of other projects with another result here, and why.
import { root } from "./markdown.mjs";
import { NOTE, page, table } from "./pages.mjs";
import { proofLink } from "./requirements.mjs";

// How many cases a row shows; the table in the sources has all of them.
const SHOWN = 4;

/** The page, the faults of its table, and a summary line. */
export function corporaPage(requirements) {
  const { CORPORA, DISAGREEMENTS, FLOWS, findCorporaProofs, countCorpora } = requirements;
  const { shown, faults } = findCorporaProofs(CORPORA, DISAGREEMENTS, root);
  const summary = countCorpora(CORPORA, DISAGREEMENTS);
  const text = page(
    "# Other parsers' tests",
    NOTE("packages/conformance/requirements/{corpora,disagreements}.ts and the book"),
    "Other projects test their parsers with their own inputs. We played them once through `HttpConnection`, with default limits, and examined every result that differed; the differences are listed here. The inputs themselves are not included. Where they showed a case that our fixtures did not cover, we added a fixture with bytes of our own.",
    `**${summary}.** *Stricter* means refused here and accepted there; *different* is any other difference.`,
    tallies(requirements),
    `In addition, ${FLOWS.flows} captured connections from [${FLOWS.project}](https://github.com/OISF/libhtp) (${FLOWS.version}, ${FLOWS.license}), which have no expected results: each of the ${FLOWS.halves} directions that contain bytes was played whole, byte by byte, and split in two at up to 400 positions, with and without an end of file, always with the same result.`,
    ...CORPORA.flatMap((corpus) => sectionOf(corpus, DISAGREEMENTS, shown)),
  );
  return { text, faults, summary };
}

function tallies({ CORPORA, DISAGREEMENTS, tallyOf }) {
  const rows = CORPORA.map((corpus) => {
    const { used, same, stricter, different, skipped } = tallyOf(corpus, DISAGREEMENTS);
    return [corpus.name, corpus.version, used, same, stricter, different, skipped];
  });
  return table(["corpus", "version", "used", "same", "stricter", "different", "left out"], rows);
}

function sectionOf({ name, project, license, says, skipped }, rows, shown) {
  const left = skipped.map(({ cases, because }) => `- ${cases}: ${because}.`);
  const others = rows
    .filter(({ corpus }) => corpus === name)
    .map((row) => {
      const proof = shown.get(row);
      return [
        casesOf(row),
        row.says,
        row.theirs,
        /^[A-Z_]+$/.test(row.ours) ? `\`${row.ours}\`` : row.ours,
        row.verdict,
        row.because,
        proof === undefined ? "" : proofLink(proof),
      ];
    });
  return [
    `## ${name}`,
    `${project} (${license}): ${says}.`,
    ...(left.length === 0 ? [] : [`Left out:\n\n${left.join("\n")}`]),
    table(["case", "input", "there", "here", "", "why", "shown by"], others),
  ];
}

function casesOf({ cases }) {
  const more = cases.length > SHOWN ? [`and ${cases.length - SHOWN + 1} more`] : [];
  const named = more.length === 0 ? cases : cases.slice(0, SHOWN - 1);
  return [...named.map((id) => `\`${id}\``), ...more].join(", ");
}
