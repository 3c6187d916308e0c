// Results → a table for people.

import { cpus } from "node:os";
import { isPinned } from "./children.ts";
import type { Result } from "./results.ts";

const COLUMNS = ["benchmark", "ours", "control", "its", "ratio", "95 %", "cpu µs"] as const;
const WIDTHS = [24, 12, 15, 12, 7, 14, 15] as const;

export function heading(): string {
  const model = cpus()[0]?.model ?? "unknown processor";
  const pinned = isPinned ? "contestants and drivers each on a core" : "not pinned to cores";
  return `Node ${process.versions.node}, ${cpus().length} × ${model}, ${pinned}\nA ratio above 1 means that ours is better.\n\n${line(COLUMNS)}`;
}

/** One line a control. */
export function rowsOf(result: Result): string[] {
  const { name, unit, ours, control, ratios, intervals, cpu } = result;
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
      intervals[other]!.map((end) => end.toFixed(2)).join("–"),
      cpu === undefined ? "" : `${cpu.ours!.toFixed(2)} : ${cpu[other]!.toFixed(2)}`,
    ]),
  );
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, i) => cell.padEnd(WIDTHS[i]!))
    .join(" ")
    .trimEnd();
}

function short(value: number): string {
  if (Math.abs(value) >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  if (Math.abs(value) >= 1e4) return `${(value / 1e3).toFixed(1)}k`;
  return value >= 100 ? value.toFixed(0) : value.toFixed(2);
}
