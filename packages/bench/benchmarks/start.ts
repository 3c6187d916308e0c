// start: a process that imports a client or a server, has one exchange in memory, and ends.
// The floor is a process that does nothing. What runs is start-program.ts.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ValueBenchmark } from "../src/benchmark.ts";
import { median } from "../src/statistics.ts";

const PROGRAM = fileURLToPath(new URL("./start-program.js", import.meta.url));

const TIMES = 3;

/** Milliseconds until the process has ended; the median of some. */
function running(program: string): () => number {
  return () => {
    // The first time the files come from the disk.
    run(program);
    return median(Array.from({ length: TIMES }, () => run(program)));
  };
}

function run(program: string): number {
  const start = performance.now();
  const { status } = spawnSync(process.execPath, [PROGRAM, program], { stdio: "inherit" });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
  return performance.now() - start;
}

const common = { kind: "value", unit: "ms", higherIsBetter: false } as const;
const floor = running("nothing");

export const benchmarks: ValueBenchmark[] = [
  {
    ...common,
    name: "start/server",
    contestants: { ours: running("our-server"), floor, "node:http": running("node-server") },
  },
  {
    ...common,
    name: "start/client",
    contestants: { ours: running("our-client"), floor, "node:http": running("node-client") },
  },
];
