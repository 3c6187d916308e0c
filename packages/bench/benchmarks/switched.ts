// switched: bytes after the switch. 16 connections send 64 B, or 64 KiB, and get them back.
// The io is the original socket, so this should cost the same as a bare socket.

import type { ServerBenchmark } from "../src/benchmark.ts";
import { openLoad } from "../src/load.ts";
import { echo, floor, ours, PROPOSAL, spoken } from "../src/upgrade-contestants.ts";

function echoing(name: string, length: number): ServerBenchmark {
  const bytes = Buffer.alloc(length, "x");
  const step = spoken(bytes, bytes);
  return {
    name,
    kind: "server",
    unit: "echoes/s",
    higherIsBetter: true,
    contestants: { ours: () => ours(echo), floor: () => floor(echo) },
    load: (port) => openLoad(port, { connections: 16, depth: 1, prelude: PROPOSAL, step }),
  };
}

export const benchmarks = [echoing("switched/64B", 64), echoing("switched/64KiB", 65_536)];
