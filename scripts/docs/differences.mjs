// docs/evidence/differences.md: bytes that we and other parsers read differently.
import { NOTE, page, table } from "./pages.mjs";

const PEERS = {
  node: "## node:http's parser",
  h11: "## h11",
};
const WORDS = {
  accepts: "we accept, it refuses",
  reads: "both accept, with different results",
  earlier: "we refuse earlier",
  later: "we refuse later",
  leaves: "it refuses what we leave unread",
};
const INTRO = [
  "`npm run fuzz` feeds mutations of every fixture input to `HttpConnection` and compares the result with an oracle, a second implementation of the RFCs that shares no code with the core. `npm run differential` also feeds them to the parser of the running Node and to h11. A difference that no row here explains makes the command fail.",
  "The second and third tables do not judge other parsers: a parser may leave a question to its caller, and HTTP allows a recipient to repair a lot. We refuse what can be read in two ways.",
];

/** The page, and a summary line. */
export function differencesPage({ KNOWN_DIFFERENCES, EXPLANATIONS }) {
  const from = (peer) => EXPLANATIONS.filter((explanation) => explanation.peer === peer).length;
  const summary = `${KNOWN_DIFFERENCES.length} kinds of differences from the oracle, ${from("node")} from node:http's parser, ${from("h11")} from h11, all explained`;
  return { text: textOf(KNOWN_DIFFERENCES, EXPLANATIONS, summary), summary, faults: [] };
}

function textOf(known, explanations, summary) {
  const oracle = known.map(({ name, reason }) => [name, reason]);
  const sections = Object.entries(PEERS).flatMap(([peer, heading]) => {
    const rows = explanations
      .filter((explanation) => explanation.peer === peer)
      .map(({ ours, input, theirs, reason }) => [
        WORDS[ours] ?? `we refuse with \`${ours}\``,
        pattern(input),
        pattern(theirs),
        reason,
      ]);
    return [heading, table(["difference", "input", "its message", "why"], rows)];
  });
  return page(
    "# Differences",
    NOTE("packages/conformance/fuzz/known.ts and explained.ts"),
    ...INTRO,
    `**${summary}.**`,
    "## The oracle",
    "The oracle accepts whatever the grammar accepts; the core refuses these anyway, or waits.",
    table(["name", "why"], oracle),
    ...sections,
  );
}

function pattern(regular) {
  return regular === undefined ? "" : `\`${regular}\``;
}
