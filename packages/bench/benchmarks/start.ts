// start: the time until a process has imported a client or a server and completed one exchange in
// memory. The floor is a process that reports at once. The programs are in start-program.ts.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { ValueBenchmark } from "../src/benchmark.ts";
import { median } from "../src/statistics.ts";

const PROGRAM = fileURLToPath(new URL("./start-program.js", import.meta.url));

const TIMES = 3;

/** Milliseconds until the process reports that it is done; the median of several runs. */
function running(program: string): () => Promise<number> {
  return async () => {
    // The first run reads the files from disk.
    await run(program);
    const times: number[] = [];
    while (times.length < TIMES) times.push(await run(program));
    return median(times);
  };
}

async function run(program: string): Promise<number> {
  const start = performance.now();
  const child = spawn(process.execPath, [PROGRAM, program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let spent: number | undefined;
  child.stdout.once("data", () => {
    spent = performance.now() - start;
  });
  const [status] = (await once(child, "close")) as [number | null];
  if (status !== 0 || spent === undefined) throw new Error(`${program} ended with ${status}`);
  return spent;
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
