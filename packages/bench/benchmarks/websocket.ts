// websocket: like upgrade, with @upgrade/websocket and adopt() in place of bytes by hand.

import type { ClientBenchmark, ServerBenchmark } from "../src/benchmark.ts";
import { nodeHttpWs, oursAdopting } from "../src/upgrade-contestants.ts";
import { adopting, opening } from "../src/websocket-clients.ts";
import { load } from "./upgrade.ts";

export const benchmarks: (ServerBenchmark | ClientBenchmark)[] = [
  {
    name: "websocket/server",
    kind: "server",
    unit: "upgrades/s",
    higherIsBetter: true,
    contestants: { ours: oursAdopting, "node:http+ws": nodeHttpWs },
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
