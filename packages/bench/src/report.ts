// Formats results as a table.

import { cpus } from "node:os";
import { isPinned } from "./children.ts";
import type { Result } from "./results.ts";

/** Names and widths of columns. */
const COLUMNS = [
  ["benchmark", 20],
  ["ours", 18],
  ["control", 13],
  ["its", 8],
  ["ratio", 6],
  ["95 %", 12],
  ["by cpu", 7],
  ["95 %", 12],
  ["cpu µs", 15],
] as const;

export function heading(): string {
  const model = cpus()[0]?.model ?? "unknown processor";
  const pinned = isPinned ? "contestants and drivers each on a core" : "not pinned to cores";
  return `Node ${process.versions.node}, ${cpus().length} × ${model}, ${pinned}\nA ratio above 1 means that ours is better; "by cpu" compares the contestants' processor time.\n\n${line(COLUMNS.map(([title]) => title))}`;
}

/** One line per control. */
export function rowsOf(result: Result): string[] {
  const { name, unit, ours, control, ratios, intervals } = result;
  const controls = Object.keys(control);
  const first = `${short(ours)} ${unit}`;
  if (controls.length === 0) return [line([name, first])];
  return controls.map((other, i) =>
    line([
      i === 0 ? name : "",
      i === 0 ? first : "",
      other,
      short(control[other]!),
      ratios[other]!.toFixed(2),
      ends(intervals[other]!),
      ...cpuCells(result, other),
    ]),
  );
}

function cpuCells({ cpu, cpuRatios, cpuIntervals }: Result, other: string): string[] {
  if (cpu === undefined) return [];
  const times = [cpu.ours!, cpu[other]!].map((time) => time.toFixed(time < 10 ? 2 : 1));
  return [cpuRatios![other]!.toFixed(2), ends(cpuIntervals![other]!), times.join(" : ")];
}

function ends(interval: readonly number[]): string {
  return interval.map((end) => end.toFixed(2)).join("–");
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(COLUMNS[i]![1]))
    .join(" ")
    .trimEnd();
}

function short(value: number): string {
  if (Math.abs(value) >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (Math.abs(value) >= 1e4) return `${(value / 1e3).toFixed(1)}k`;
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
