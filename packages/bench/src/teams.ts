// One contestant with the processes it needs: started, measured as often as wanted, and ended.

import type { Benchmark, Shot } from "./benchmark.ts";
import { Child } from "./children.ts";
import type { Plan } from "./options.ts";

/** One number, and the processor time behind it where that is known. */
export interface Measurement {
  readonly value: number;
  /** Microseconds of processor time of the contestant's process, for each thing counted. */
  readonly cpu?: number;
}

export interface Team {
  /** `ms`: for how long, where that can be chosen. */
  measure(ms: number): Promise<Measurement>;
  stop(): Promise<void>;
}

/** Starts what `contestant` needs. */
export function assemble(benchmark: Benchmark, contestant: string, plan: Plan): Promise<Team> {
  const { name } = benchmark;
  const start = (role: string, core: "contestant" | "driver") =>
    new Child({ benchmark: name, role, core });
  switch (benchmark.kind) {
    case "server":
      return serverTeam(start(contestant, "contestant"), start("load", "driver"));
    case "client":
      return clientTeam(start(contestant, "contestant"), start("peer", "driver"));
    case "local":
      return localTeam(start(contestant, "contestant"));
    case "value":
      return freshTeam(
        async (child) => (await child(contestant, "contestant").ask({ ask: "value" })) as number,
        start,
      );
    case "memory":
      return freshTeam(
        (child) =>
          heldMemory(child(contestant, "contestant"), child("hold", "driver"), plan.connections),
        start,
      );
  }
}

async function serverTeam(server: Child, load: Child): Promise<Team> {
  const port = (await server.ask({ ask: "listen" })) as number;
  await load.ask({ ask: "connect", port });
  return shootingTeam(load, server, [load, server]);
}

async function clientTeam(client: Child, peer: Child): Promise<Team> {
  const port = (await peer.ask({ ask: "listen" })) as number;
  await client.ask({ ask: "connect", port });
  return shootingTeam(client, client, [client, peer]);
}

async function localTeam(child: Child): Promise<Team> {
  await child.ask({ ask: "connect", port: 0 });
  return shootingTeam(child, undefined, [child]);
}

/** `shooter` counts and takes the time; `worker` is whose processor time is counted. */
function shootingTeam(shooter: Child, worker: Child | undefined, all: readonly Child[]): Team {
  return {
    async measure(ms) {
      const before = (await worker?.ask({ ask: "cpu" })) as number | undefined;
      const shot = (await shooter.ask({ ask: "shoot", ms })) as Shot;
      const after = (await worker?.ask({ ask: "cpu" })) as number | undefined;
      const value = (shot.count / shot.ms) * 1_000;
      return before === undefined ? { value } : { value, cpu: (after! - before) / shot.count };
    },
    stop: () => stopAll(all),
  };
}

type Start = (role: string, core: "contestant" | "driver") => Child;

/** Each measurement has processes of its own. */
async function freshTeam(run: (start: Start) => Promise<number>, start: Start): Promise<Team> {
  return {
    async measure() {
      const children: Child[] = [];
      const started: Start = (role, core) => {
        const child = start(role, core);
        children.push(child);
        return child;
      };
      try {
        return { value: await run(started) };
      } finally {
        await stopAll(children);
      }
    },
    stop: async () => {},
  };
}

async function heldMemory(server: Child, holder: Child, connections: number): Promise<number> {
  const port = (await server.ask({ ask: "listen" })) as number;
  // One connection first: what is made once for all of them is not theirs.
  await holder.ask({ ask: "hold", port, connections: 1 });
  const before = (await server.ask({ ask: "memory" })) as number;
  await holder.ask({ ask: "hold", port, connections });
  const after = (await server.ask({ ask: "memory" })) as number;
  return (after - before) / connections;
}

async function stopAll(children: readonly Child[]): Promise<void> {
  await Promise.all(children.map((child) => child.stop()));
}
