// All benchmarks, by group. A process loads only the groups it runs.

import type { Benchmark } from "../src/benchmark.ts";

type Group = () => Promise<{ readonly benchmarks: readonly Benchmark[] }>;

const GROUPS: { readonly [group: string]: Group } = {
  "parse-head": () => import("./parse-head.ts"),
  "parse-upgrade": () => import("./parse-upgrade.ts"),
  server: () => import("./server.ts"),
  "server-pipelined": () => import("./server-pipelined.ts"),
  "server-body": () => import("./server-body.ts"),
  client: () => import("./client.ts"),
  "client-32": () => import("./client-32.ts"),
  "client-pipelined": () => import("./client-pipelined.ts"),
  upgrade: () => import("./upgrade.ts"),
  websocket: () => import("./websocket.ts"),
  storm: () => import("./storm.ts"),
  switched: () => import("./switched.ts"),
  "web-streams": () => import("./web-streams.ts"),
  "memory-idle": () => import("./memory-idle.ts"),
  "memory-switched": () => import("./memory-switched.ts"),
  growth: () => import("./growth.ts"),
  start: () => import("./start.ts"),
  size: () => import("./size.ts"),
};

/**
 * The benchmarks with these names, `group` or `group/variant`; all if none are given.
 *
 * @throws for an unknown name.
 */
export async function loadBenchmarks(
  names: readonly string[] = Object.keys(GROUPS),
): Promise<Benchmark[]> {
  const found: Benchmark[] = [];
  for (const name of names) {
    const [group = ""] = name.split("/");
    const { benchmarks } = (await GROUPS[group]?.()) ?? { benchmarks: [] };
    const wanted = benchmarks.filter((one) => name === group || name === one.name);
    if (wanted.length === 0) {
      throw new Error(`no benchmark ${name}; there are ${Object.keys(GROUPS).join(", ")}`);
    }
    found.push(...wanted);
  }
  return found;
}
