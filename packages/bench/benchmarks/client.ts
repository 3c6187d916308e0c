// client: one connection, one GET after another, each response read to its end.
// The floor is a bare socket that counts the bytes of responses, with one promise per request.

import type { ClientBenchmark } from "../src/benchmark.ts";
import { clients } from "../src/client-contestants.ts";
import { servePeer } from "../src/raw-peer.ts";

export const benchmarks: ClientBenchmark[] = [
  {
    name: "client",
    kind: "client",
    unit: "requests/s",
    higherIsBetter: true,
    contestants: clients(1, 1),
    peer: servePeer,
  },
];
