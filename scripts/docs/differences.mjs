// The page of where we and others read the same bytes otherwise.
import { NOTE, table } from "./pages.mjs";

const PEERS = {
  node: "## node:http's parser",
  h11: "## h11",
};
const WORDS = {
  accepts: "we accept, it refuses",
  reads: "both accept, and read otherwise",
  earlier: "we refuse earlier",
  later: "we refuse later",
  leaves: "we leave unread what it refuses",
};
const INTRO = [
  "`pnpm fuzz` plays mutations of every input of the book to `HttpConnection` and asks an oracle of our own, a second reading of the RFCs that shares nothing with the core. `pnpm differential` plays them to the parser of the running Node and to h11, too. A difference that no row here explains is a failure of that command.",
  "Nothing in the second and third table is a judgement of others: a parser that leaves a question to its caller is right to do so, and HTTP lets a recipient repair much. We refuse what can be read in two ways.",
];

export function differencesPage({ KNOWN_DIFFERENCES, EXPLANATIONS }) {
  const oracle = KNOWN_DIFFERENCES.map(({ name, reason }) => [name, reason]);
  const sections = Object.entries(PEERS).flatMap(([peer, heading]) => {
    const rows = EXPLANATIONS.filter((explanation) => explanation.peer === peer).map(
      ({ ours, input, theirs, reason }) => [
        WORDS[ours] ?? `we refuse with \`${ours}\``,
        pattern(input),
        pattern(theirs),
        reason,
      ],
    );
    return [heading, table(["what", "input", "it says", "because"], rows)];
  });
  return `${[
    "# Differences",
    NOTE("packages/conformance/fuzz/known.ts and explained.ts"),
    ...INTRO,
    "## The oracle",
    "The oracle takes what the grammar takes; the heart refuses these all the same, or waits.",
    table(["name", "because"], oracle),
    ...sections,
  ].join("\n\n")}\n`;
}

function pattern(regular) {
  return regular === undefined ? "" : `\`${regular}\``;
}
