// docs/evidence/README.md: written by hand, except for the last cell of each row, the page's figure.
import { readdirSync } from "node:fs";
import { read, root } from "./markdown.mjs";

const FOLDER = "docs/evidence/";
const INDEX = `${FOLDER}README.md`;

/** The index with the current figures, and the pages that have no row or no figure. */
export function evidenceIndex(pages) {
  const faults = [];
  let text = read(INDEX);
  for (const name of readdirSync(new URL(FOLDER, root))) {
    if (name === "README.md") continue;
    const summary = pages[`${FOLDER}${name}`]?.summary;
    const row = rowOf(name, text);
    if (summary === undefined) faults.push(`${FOLDER}${name} has no figure`);
    else if (row === undefined) faults.push(`${INDEX} has no row for ${name}`);
    else text = text.replace(row, withFigure(row, summary));
  }
  return { text, faults };
}

function rowOf(name, text) {
  return text.split("\n").find((line) => line.startsWith("| [") && line.includes(`](${name}) |`));
}

// Not a replacement pattern, so that a "$" in a summary has no meaning.
function withFigure(row, summary) {
  const cells = row.split(" | ");
  return () => [...cells.slice(0, -1), `${summary} |`].join(" | ");
}
