// Opens and ends thousands of connections and measures what they leave behind:
// npm run churn -- [--seed N] [--connections N]
import { parseArgs } from "node:util";
import { churn, STORIES } from "./churn.ts";
import { growth, watchWasm, weigh } from "./memory.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: "1" },
    connections: { type: "string", default: "10000" },
  },
});
const seed = Number(values.seed);
const connections = Number(values.connections);

watchWasm();
// Run twice, because the engine's own code and caches grow for a while.
const warm = await churn(connections, seed);
const before = await weigh();
const started = performance.now();
const tally = await churn(connections, seed + 1);
const seconds = (performance.now() - started) / 1_000;
const after = await weigh();

const faults = [...warm.faults, ...tally.faults, ...growth(before, after)];
console.log(
  `${tally.connections} connections, ${tally.stories.size} of ${STORIES} stories, ` +
    `seed ${seed}, ${seconds.toFixed(1)} s`,
);
console.log(
  `heap ${kib(before.heapBytes)} then ${kib(after.heapBytes)} KiB, ` +
    `array buffers ${kib(before.bufferBytes)} then ${kib(after.bufferBytes)} KiB, ` +
    `WASM ${kib(after.wasmBytes)} KiB, ${after.handles} handles, ${faults.length} faults`,
);
for (const fault of faults.slice(0, 40)) console.error(fault);
process.exitCode = faults.length > 0 ? 1 : 0;

function kib(bytes: number): number {
  return Math.round(bytes / 1_024);
}
