// docs/evidence/rfc-map.md: the rules of the RFCs, each with the file that implements it and its tests.
import { anchorOf } from "./links.mjs";
import { root } from "./markdown.mjs";
import { NOTE, page, table } from "./pages.mjs";

/** From a page in docs/evidence to the root. */
export const UP = "../../";

const SHOWN = 2;

const TOPICS = {
  M: "Messages",
  R: "Request lines and targets",
  S: "Status lines",
  F: "Fields",
  T: "Framing",
  C: "Chunks and trailers",
  I: "Connections",
  K: "Hop by hop",
  U: "Upgrade",
  X: "CONNECT",
  E: "Expect",
  Y: "Interim and bodiless responses",
  Z: "Attacks",
};

/** The page, the faults of its table, and a summary line. */
export function requirementsPage({ ROWS, findProofs, faultsOf, countRows }) {
  const proofs = findProofs(root);
  return {
    text: rfcPage(ROWS, proofs, countRows(ROWS)),
    faults: faultsOf(ROWS, proofs, root),
    summary: countRows(ROWS),
  };
}

function rfcPage(rows, proofs, summary) {
  const sections = Object.entries(TOPICS).flatMap(([letter, topic]) => [
    `## ${topic}`,
    table(
      ["id", "RFC", "level", "for", "rule", "implemented in", "shown by, or why not"],
      rows.filter(({ id }) => id.startsWith(letter)).map((row) => cells(row, proofs)),
    ),
  ]);
  return page(
    "# The rules of the RFCs",
    NOTE("packages/conformance/requirements/rows.ts and the tests"),
    "What RFC 9110, 9112 and 9931 require of an end of a connection, in our words; see the RFC for the exact text. A rule is proven by the fixtures and tests that name it; a rule that does not apply to us, or that we break on purpose, has a reason. At most two proofs are shown; search for the id to find the others.",
    `**${summary}.**`,
    ...sections,
  );
}

function cells({ id, section, level, role, says, at, because }, proofs) {
  const shown = proofs.filter(({ ids }) => ids.includes(id));
  const links = shown.slice(0, SHOWN).map(proofLink);
  const more = shown.length > SHOWN ? ["…"] : [];
  const file = at === undefined ? "" : `[${at.split("/").at(-1)}](${UP}packages/${at})`;
  const reasons = because === undefined ? [] : [`*${because}*`];
  return [id, section, level, role, says, file, [...reasons, ...links, ...more].join("; ")];
}

/** Links a story to its heading, a test to its file. */
export function proofLink({ file, title }) {
  const anchor = file.endsWith(".md") ? `#${anchorOf(title)}` : "";
  return `[${escaped(title.replace(/%[a-z]/g, "…"))}](${UP}${file}${anchor})`;
}

/** Escapes Markdown syntax in a title. */
export function escaped(text) {
  return text.replace(/[\\`*_[\]<>]/g, "\\$&");
}
