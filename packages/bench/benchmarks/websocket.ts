// websocket: like upgrade, with @upgrade/websocket and adopt() in place of bytes by hand.
// floor+ws reads no HTTP: what it costs is the socket and ws, the most that anything can save.

import type { ClientBenchmark, ServerBenchmark } from "../src/benchmark.ts";
import { floorWs, nodeHttpWs, oursAdopting } from "../src/upgrade-contestants.ts";
import { adopting, opening } from "../src/websocket-clients.ts";
import { load } from "./upgrade.ts";

export const benchmarks: (ServerBenchmark | ClientBenchmark)[] = [
  {
    name: "websocket/server",
    kind: "server",
    unit: "upgrades/s",
    higherIsBetter: true,
    contestants: { ours: oursAdopting, "floor+ws": floorWs, "node:http+ws": nodeHttpWs },
    load,
  },
  {
    name: "websocket/client",
    kind: "client",
    unit: "upgrades/s",
    higherIsBetter: true,
    contestants: { ours: adopting, ws: opening },
    peer: nodeHttpWs,
  },
];
