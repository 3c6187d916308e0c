// upgrade: connect, propose WebSocket, get the 101, one frame of one byte each way, close; 16 at once.
// ours and floor answer the frame with fixed bytes; ws parses and creates one.

import type { ServerBenchmark, Shoot } from "../src/benchmark.ts";
import { during } from "../src/benchmark.ts";
import { LoadConnection } from "../src/load.ts";
import {
  answerFrame,
  FRAME,
  floor,
  nodeHttpWs,
  ours,
  PROPOSAL,
} from "../src/upgrade-contestants.ts";

const LANES = 16;

/** Every response is checked in full: a connection has only two. */
export async function load(port: number): Promise<Shoot> {
  const once = async (): Promise<void> => {
    const connection = await LoadConnection.open(port, [PROPOSAL, FRAME]);
    await connection.close();
  };
  return async (ms) => {
    const lanes = await Promise.all(Array.from({ length: LANES }, () => during(ms, once)));
    const count = lanes.reduce((sum, lane) => sum + lane.count, 0);
    return { count, ms: Math.max(...lanes.map((lane) => lane.ms)) };
  };
}

export const benchmarks: ServerBenchmark[] = [
  {
    name: "upgrade",
    kind: "server",
    unit: "upgrades/s",
    higherIsBetter: true,
    contestants: {
      ours: () => ours(answerFrame),
      floor: () => floor(answerFrame),
      "node:http+ws": nodeHttpWs,
    },
    load,
  },
];
