// docs/evidence/performance.md is written by hand. The README quotes figures of its table.
import { read } from "./markdown.mjs";

const PAGE = "docs/evidence/performance.md";

/** The figures that the README does not quote, and a summary line. */
export function performanceFigures() {
  const figures = figuresOf(readTable(read(PAGE)));
  const readme = read("README.md");
  const faults = figures
    .filter((figure) => !readme.includes(figure))
    .map((figure) => `README.md must say "${figure}", as ${PAGE} does`);
  return { faults, summary: figures.join(", ") };
}

function figuresOf(rows) {
  const ratio = (benchmark, control) =>
    Number.parseFloat(cellOf(rows, benchmark, control, "ratio").replaceAll("*", "")).toFixed(1);
  return [
    `as a server ${ratio("server", "node:http")} times \`node:http\``,
    `as a client on 32 connections ${ratio("client-32", "undici")} times undici`,
  ];
}

// A row without a benchmark has another control of the benchmark above it.
function readTable(text) {
  const [, table = ""] = /^\| benchmark \|.*\n.*\n((?:\|.*\n)+)/m.exec(text) ?? [];
  const rows = [];
  for (const line of table.trim().split("\n")) {
    const [, benchmark, ours, control, , ratio] = line.split("|").map((cell) => cell.trim());
    const above = benchmark === "" ? rows.at(-1) : { benchmark, ours };
    rows.push({ ...above, control, ratio });
  }
  return rows;
}

function cellOf(rows, benchmark, control, column) {
  const isMeant = (row) =>
    row.benchmark === benchmark && (control === "" || row.control === control);
  const row = rows.find(isMeant);
  if (row === undefined) throw new Error(`${PAGE} has no row for ${benchmark} ${control}`);
  return row[column];
}
