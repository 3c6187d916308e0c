// memory-idle: what an idle keep-alive connection holds beyond a bare socket, after one request.
// Heap and external memory after a collection, as V8 counts them, which excludes node:http's native
// parser and the socket's own memory outside V8. node:http gets our idle timeout: with its default of
// five seconds it closes connections before the last one is open.

import type { MemoryBenchmark } from "../src/benchmark.ts";
import { hold } from "../src/load.ts";
import { HELLO } from "../src/messages.ts";
import { floor, nodeHttp, ours } from "./server.ts";

export const benchmarks: MemoryBenchmark[] = [
  {
    name: "memory-idle",
    kind: "memory",
    unit: "bytes",
    higherIsBetter: false,
    contestants: { ours, floor, "node:http": () => nodeHttp({ keepAliveTimeout: 60_000 }) },
    baseline: "floor",
    hold: (port, connections) => hold(port, connections, [HELLO]),
  },
];
