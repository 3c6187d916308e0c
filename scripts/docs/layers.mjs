// The rows of the layer rule in ARCHITECTURE are those the test holds the sources to.
import { read } from "./markdown.mjs";

const TEST = "packages/core/test/layers.test.ts";

export function checkLayers() {
  const [, rows = ""] = /const ROWS = \[\n(.*?)^\];/ms.exec(read(TEST)) ?? [];
  const held = [...rows.matchAll(/^ {2}\[(.*)\],$/gm)].map(([, columns]) =>
    columns.replaceAll('"', "").replaceAll(",", " |"),
  );
  const told = [...read("ARCHITECTURE.md").matchAll(/^\| \d+ \| (`.*`) \|$/gm)].map(([, cell]) =>
    cell.replaceAll("`", "").replaceAll("\\|", "|"),
  );
  if (held.length > 0 && held.join("\n") === told.join("\n")) return [];
  return [`ARCHITECTURE.md: its rows are not those of ${TEST}`];
}
