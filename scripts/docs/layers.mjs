// Checks that the rows of the layer rule in ARCHITECTURE are those that the test enforces.
import { read } from "./markdown.mjs";

const TEST = "packages/core/test/layers.test.ts";

export function checkLayers() {
  const [, rows = ""] = /const ROWS = \[\n(.*?)^\];/ms.exec(read(TEST)) ?? [];
  const held = [...rows.matchAll(/^ {2}\[(.*)\],$/gm)].map(([, columns]) =>
    columns.replaceAll('"', "").replaceAll(",", " |"),
  );
  const listed = [...read("ARCHITECTURE.md").matchAll(/^\| \d+ \| (`.*`) \|$/gm)].map(([, cell]) =>
    cell.replaceAll("`", "").replaceAll("\\|", "|"),
  );
  if (held.length > 0 && held.join("\n") === listed.join("\n")) return [];
  return [`ARCHITECTURE.md: the rows differ from ${TEST}`];
}
