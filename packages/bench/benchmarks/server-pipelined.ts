// server-pipelined: like server, with 16 requests in each write of the client.

import type { ServerBenchmark } from "../src/benchmark.ts";
import { openLoad } from "../src/load.ts";
import { HELLO } from "../src/messages.ts";
import { floor, nodeHttp, ours } from "./server.ts";

export const benchmarks: ServerBenchmark[] = [
  {
    name: "server-pipelined",
    kind: "server",
    unit: "requests/s",
    higherIsBetter: true,
    contestants: { ours, floor, "node:http": () => nodeHttp() },
    load: (port) => openLoad(port, { connections: 32, depth: 16, step: HELLO }),
  },
];
