// The page of the test inputs of others: where we read them otherwise, and why.
import { root } from "./markdown.mjs";
import { NOTE, page, table } from "./pages.mjs";
import { proofLink } from "./requirements.mjs";

// A cause that many cases share is told once; the table behind the page has all of them.
const SHOWN = 4;

/** The page, what is wrong with the table behind it, and one line that counts. */
export function corporaPage(requirements) {
  const { CORPORA, DISAGREEMENTS, FLOWS, findCorporaProofs, countCorpora } = requirements;
  const { shown, faults } = findCorporaProofs(CORPORA, DISAGREEMENTS, root);
  const summary = countCorpora(CORPORA, DISAGREEMENTS);
  const text = page(
    "# Beside other parsers' tests",
    NOTE("packages/conformance/requirements/{corpora,disagreements}.ts and the book"),
    "Other projects test their parsers with inputs of their own. They were played through `HttpConnection`, with its default limits, once, and whatever came out otherwise than there was looked into, and is told here. None of those inputs is in this project. Where they showed something that the book did not tell, it has a story now, in bytes of its own.",
    `**${summary}.** *Stricter* is what is refused here and read there; *different* is all the rest.`,
    tallies(requirements),
    `Beside them ${FLOWS.flows} captured conversations of [${FLOWS.project}](https://github.com/OISF/libhtp) (${FLOWS.version}, ${FLOWS.license}), which have no verdict: each of the ${FLOWS.halves} directions that has bytes was played whole, byte by byte, and cut in two at up to 400 places, with and without an end behind it, and ended alike each time.`,
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
    table(["case", "input", "there", "here", "", "because", "shown by"], others),
  ];
}

function casesOf({ cases }) {
  const more = cases.length > SHOWN ? [`and ${cases.length - SHOWN + 1} more`] : [];
  const named = more.length === 0 ? cases : cases.slice(0, SHOWN - 1);
  return [...named.map((id) => `\`${id}\``), ...more].join(", ");
}
