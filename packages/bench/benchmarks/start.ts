// start: a process that imports a client or a server, has one exchange in memory, and ends.
// The floor is a process that does nothing. What runs is start-program.ts.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { ValueBenchmark } from "../src/benchmark.ts";

const PROGRAM = fileURLToPath(new URL("./start-program.js", import.meta.url));

/** Milliseconds until the process has ended. */
function running(program: string): () => number {
  return () => {
    // The first time the files come from the disk.
    run(program);
    const start = performance.now();
    run(program);
    return performance.now() - start;
  };
}

function run(program: string): void {
  const { status } = spawnSync(process.execPath, [PROGRAM, program], { stdio: "inherit" });
  if (status !== 0) throw new Error(`${program} ended with ${status}`);
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
