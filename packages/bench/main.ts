// Runs the benchmarks one after another, prints a table, and writes a JSON file if requested.

import { writeFileSync } from "node:fs";
import { loadBenchmarks } from "./benchmarks/index.ts";
import { readOptions, USAGE } from "./src/options.ts";
import { heading, rowsOf } from "./src/report.ts";
import { type Result, summarize } from "./src/results.ts";
import { playRounds } from "./src/rounds.ts";

async function main(): Promise<void> {
  const { plan, json, only } = readOptions(process.argv.slice(2));
  const benchmarks = await loadBenchmarks(only);
  const results: Result[] = [];
  console.log(heading());
  for (const benchmark of benchmarks) {
    try {
      const result = summarize(benchmark, await playRounds(benchmark, plan));
      results.push(result);
      for (const row of rowsOf(result)) console.log(row);
    } catch (error) {
      // A contestant that answers incorrectly gets no numbers; the others still do.
      console.error(`${benchmark.name}: ${messageOf(error)}`);
      process.exitCode = 1;
    }
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, undefined, 2)}\n`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

main().catch((error: unknown) => {
  console.error(`${messageOf(error)}\n${USAGE}`);
  process.exitCode = 2;
});
