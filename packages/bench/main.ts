// Runs the benchmarks, one after the other, prints a table and writes it down if asked to.

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
    const result = summarize(benchmark, await playRounds(benchmark, plan));
    results.push(result);
    for (const row of rowsOf(result)) console.log(row);
  }
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, undefined, 2)}\n`);
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  console.error(USAGE);
  process.exitCode = 1;
});
