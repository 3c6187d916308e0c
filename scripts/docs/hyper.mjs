// docs/evidence/hyper.md: what hyper's tests require of HTTP/1, and what we do.
import { root } from "./markdown.mjs";
import { NOTE, page, table } from "./pages.mjs";
import { proofLink } from "./requirements.mjs";

/** The page, the faults of its table, and a summary line. */
export function hyperPage({ BEHAVIORS, CORNERS, findHyperProofs, countBehaviors }) {
  const { byNumber, faults } = findHyperProofs(BEHAVIORS, CORNERS, root);
  const shown = (n) => {
    const proof = byNumber.get(String(n));
    return proof === undefined ? "" : proofLink(proof);
  };
  const summary = countBehaviors(BEHAVIORS);
  return { text: textOf(BEHAVIORS, CORNERS, shown, summary), faults, summary };
}

function textOf(behaviors, corners, shown, summary) {
  const of = (wanted) => behaviors.filter(({ verdict }) => verdict === wanted);
  const other = (wanted) =>
    table(
      ["", "hyper", "here", "shown by"],
      of(wanted).map(({ n, says, because }) => [n, says, because, shown(n)]),
    );
  return page(
    "# Compared with hyper",
    NOTE("packages/conformance/requirements/hyper.ts and the tests"),
    "This library gives JavaScript what hyper's `client::conn` and `server::conn` give Rust. This page lists, in our words, what hyper's own tests require of HTTP/1, each behavior with the test that shows ours. The numbers count every behavior in those tests; the gaps are HTTP/2, connection pools and Rust specifics.",
    `**${summary}.** In addition, ${corners.length} corner cases that hyper's tests do not cover.`,
    "## Stricter",
    "Refused here, where hyper repairs or accepts it: two readers that repair differently see different messages.",
    other("stricter"),
    "## Different",
    other("different"),
    "## Corner cases",
    table(
      ["", "case", "hyper", "here", "shown by"],
      corners.map(({ n, says, hyper, here }) => [n, says, hyper, here, shown(n)]),
    ),
    "## The same",
    table(
      ["", "behavior", "shown by"],
      of("same").map(({ n, says }) => [n, says, shown(n)]),
    ),
  );
}
