// verdict + facts → [report] → terminal or pipe: the cause first, then the evidence

import Table from "cli-table3";
import picocolors from "picocolors";
import type { Facts } from "../facts.ts";
import type { Verdict } from "../verdicts/verdicts.ts";
import { headsOf, type Row, rowsOf } from "./evidence.ts";
import { picture } from "./picture.ts";

/** Where it is shown. */
export interface Screen {
  readonly hasColors: boolean;
  /** Undefined: a pipe, whose lines are not broken. */
  readonly columns?: number | undefined;
}

type Colors = ReturnType<typeof picocolors.createColors>;

export function report(facts: Facts, verdict: Verdict, screen: Screen): string {
  const colors = picocolors.createColors(screen.hasColors);
  const { says, change, rule, exit, id } = verdict;
  const isHealthy = exit === 0;
  const first = `${isHealthy ? "✓" : "✗"} ${says}.`;
  const lines = [colors.bold(isHealthy ? colors.green(first) : colors.red(first))];
  if (change !== "nothing") lines.push(`  ${colors.bold("Change:")} ${change}`);
  if (rule !== undefined) lines.push(colors.dim(`  Rule: ${rule}`));
  lines.push(colors.dim(`  Verdict: ${id}, exit code ${exit}`));
  lines.push("", picture(facts, verdict), "", ...evidence(rowsOf(facts), colors, screen));
  for (const { title, mark, lines: head } of headsOf(facts)) {
    const paint = mark === ">" ? colors.cyan : colors.magenta;
    lines.push("", colors.bold(title), ...head.map((line) => `${paint(mark)} ${line}`));
  }
  return `${lines.join("\n")}\n`;
}

const NO_BORDERS = {
  "top": "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  "bottom": "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  "left": "",
  "left-mid": "",
  "mid": "",
  "mid-mid": "",
  "right": "",
  "right-mid": "",
  "middle": " ",
};

function evidence(rows: readonly Row[], colors: Colors, { columns }: Screen): string[] {
  const time = ({ ms }: Row) => (ms === undefined ? "" : `${ms} ms`);
  if (columns === undefined) {
    return rows.map((row) => {
      const took = row.ms === undefined ? "" : ` (${time(row)})`;
      return `${row.isGood ? "ok" : "no"} ${row.step}: ${row.text}${took}`;
    });
  }
  const widest = Math.max(...rows.map(({ step }) => step.length)) + 3;
  const table = new Table({
    chars: NO_BORDERS,
    style: { "padding-left": 0, "padding-right": 0, "border": [], "head": [] },
    colWidths: [widest, Math.max(20, columns - widest - 12), 9],
    colAligns: ["left", "left", "right"],
    wordWrap: true,
  });
  for (const row of rows) {
    const mark = row.isGood ? colors.green("✓") : colors.red("✗");
    table.push([`${mark} ${colors.bold(row.step)}`, row.text, colors.dim(time(row))]);
  }
  return table
    .toString()
    .split("\n")
    .map((line) => line.trimEnd());
}
