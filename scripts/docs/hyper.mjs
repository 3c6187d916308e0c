// The page about hyper: what its tests pin of HTTP/1, and what is done here.
import { root } from "./markdown.mjs";
import { NOTE, page, table } from "./pages.mjs";
import { proofLink } from "./requirements.mjs";

/** The page, what is wrong with the table behind it, and one line that counts. */
export function hyperPage({ BEHAVIOURS, CORNERS, findHyperProofs, countBehaviours }) {
  const { byNumber, faults } = findHyperProofs(BEHAVIOURS, CORNERS, root);
  const shown = (n) => {
    const proof = byNumber.get(String(n));
    return proof === undefined ? "" : proofLink(proof);
  };
  const summary = countBehaviours(BEHAVIOURS);
  return { text: textOf(BEHAVIOURS, CORNERS, shown, summary), faults, summary };
}

function textOf(behaviours, corners, shown, summary) {
  const of = (wanted) => behaviours.filter(({ verdict }) => verdict === wanted);
  const other = (wanted) =>
    table(
      ["", "hyper", "here", "shown by"],
      of(wanted).map(({ n, says, because }) => [n, says, because, shown(n)]),
    );
  return page(
    "# Beside hyper",
    NOTE("packages/conformance/requirements/hyper.ts and the tests"),
    "This library gives JavaScript what hyper's `client::conn` and `server::conn` give Rust. What hyper's own tests pin of HTTP/1 is told here in our words, each behaviour with the test that shows what is done here. The numbers count all behaviours those tests pin; the gaps are HTTP/2, pools of connections, and what only Rust has.",
    `**${summary}.** Beside them ${corners.length} corners that hyper's tests leave out.`,
    "## Stricter",
    "Refused here, where hyper repairs it or lets it pass: two readers that repair differently see two messages.",
    other("stricter"),
    "## Different",
    other("different"),
    "## The corners",
    table(
      ["", "case", "hyper", "here", "shown by"],
      corners.map(({ n, says, hyper, here }) => [n, says, hyper, here, shown(n)]),
    ),
    "## The same",
    table(
      ["", "behaviour", "shown by"],
      of("same").map(({ n, says }) => [n, says, shown(n)]),
    ),
  );
}
