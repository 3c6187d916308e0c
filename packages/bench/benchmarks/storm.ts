// storm: 5,000 sockets connect at once to a fresh process; each proposes WebSocket and gets its 101.
// By takeOver, ws writes it; by adopt, @upgrade/websocket does, and ws gets the socket. Measured from
// the first connect to the last response.

import type { StormBenchmark } from "../src/benchmark.ts";
import { LoadConnection } from "../src/load.ts";
import { nodeHttpWs, oursAdopting, oursWs, PROPOSAL } from "../src/upgrade-contestants.ts";

async function storm(port: number, connections: number): Promise<void> {
  const open = () => LoadConnection.open(port, [PROPOSAL]);
  await Promise.all(Array.from({ length: connections }, open));
}

const stormy = { kind: "storm", unit: "upgrades/s", higherIsBetter: true, storm } as const;

export const benchmarks: StormBenchmark[] = [
  {
    ...stormy,
    name: "storm/take-over",
    contestants: { ours: oursWs, "node:http+ws": nodeHttpWs },
  },
  {
    ...stormy,
    name: "storm/adopt",
    contestants: { ours: oursAdopting, "node:http+ws": nodeHttpWs },
  },
];
