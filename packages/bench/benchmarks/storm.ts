// storm: 5,000 sockets connect at once to a fresh process; each proposes WebSocket and gets its 101,
// which ws writes; ours hands the socket over with takeOver(). Measured from the first connect to the
// last response.

import type { StormBenchmark } from "../src/benchmark.ts";
import { LoadConnection } from "../src/load.ts";
import { nodeHttpWs, oursWs, PROPOSAL } from "../src/upgrade-contestants.ts";

async function storm(port: number, connections: number): Promise<void> {
  const open = () => LoadConnection.open(port, [PROPOSAL]);
  await Promise.all(Array.from({ length: connections }, open));
}

export const benchmarks: StormBenchmark[] = [
  {
    name: "storm",
    kind: "storm",
    unit: "upgrades/s",
    higherIsBetter: true,
    contestants: { ours: oursWs, "node:http+ws": nodeHttpWs },
    storm,
  },
];
