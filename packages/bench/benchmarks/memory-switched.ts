// memory-switched: what a switched connection holds beyond a bare socket with the same protocol.
// Nothing of HTTP should remain after the switch.

import type { MemoryBenchmark } from "../src/benchmark.ts";
import { hold } from "../src/load.ts";
import {
  answerFrame,
  FRAME,
  floor,
  nodeHttpWs,
  ours,
  PROPOSAL,
} from "../src/upgrade-contestants.ts";

export const benchmarks: MemoryBenchmark[] = [
  {
    name: "memory-switched",
    kind: "memory",
    unit: "bytes",
    higherIsBetter: false,
    contestants: {
      ours: () => ours(answerFrame),
      floor: () => floor(answerFrame),
      "node:http+ws": nodeHttpWs,
    },
    baseline: "floor",
    hold: (port, connections) => hold(port, connections, [PROPOSAL, FRAME]),
  },
];
