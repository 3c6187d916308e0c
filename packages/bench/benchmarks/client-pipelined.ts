// client-pipelined: like client, with 16 requests in flight on one connection.
// The floor is a bare socket that counts the bytes of responses, with one promise per request.

import type { ClientBenchmark } from "../src/benchmark.ts";
import { clients } from "../src/client-contestants.ts";
import { servePeer } from "../src/raw-peer.ts";

export const benchmarks: ClientBenchmark[] = [
  {
    name: "client-pipelined",
    kind: "client",
    unit: "requests/s",
    higherIsBetter: true,
    contestants: clients(1, 16),
    peer: servePeer,
  },
];
