// client-32: like client, on 32 connections at once.
// The floor is a bare socket that counts the bytes of responses, with one promise per request.

import type { ClientBenchmark } from "../src/benchmark.ts";
import { clients } from "../src/client-contestants.ts";
import { servePeer } from "../src/raw-peer.ts";

export const benchmarks: ClientBenchmark[] = [
  {
    name: "client-32",
    kind: "client",
    unit: "requests/s",
    higherIsBetter: true,
    contestants: clients(32, 1),
    peer: servePeer,
  },
];
