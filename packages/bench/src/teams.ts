// One contestant with the processes it needs: started, measured repeatedly, and ended.

import type { Benchmark, Shot } from "./benchmark.ts";
import { Child } from "./children.ts";
import type { Plan } from "./options.ts";

/** One number, and its processor time if known. */
export interface Measurement {
  readonly value: number;
  /** Microseconds of processor time of the contestant's process, per counted operation. */
  readonly cpu?: number;
}

export interface Team {
  /** `ms`: for how long, if that can be chosen. */
  measure(ms: number): Promise<Measurement>;
  stop(): Promise<void>;
}

type Start = (role: string, core: "contestant" | "driver") => Child;

/** Starts the processes of `contestant`. */
export async function assemble(
  benchmark: Benchmark,
  contestant: string,
  plan: Plan,
): Promise<Team> {
  const { name, kind } = benchmark;
  const start: Start = (role, core) => new Child({ benchmark: name, role, core });
  switch (kind) {
    case "server":
      return shootingTeam(start, [contestant, "load"], serve);
    case "client":
      return shootingTeam(start, [contestant, "peer"], ask);
    case "local":
      return shootingTeam(start, [contestant], work);
    case "value":
      return freshTeam(start, [contestant], askValue);
    case "memory":
      return freshTeam(start, [contestant, "hold"], (server, holder) =>
        heldMemory(server, holder!, plan.connections),
      );
    case "storm":
      return freshTeam(start, [contestant, "storm"], (server, crowd) =>
        measureStorm(server, crowd!, plan.stormed),
      );
  }
}

/** The process that runs the shots, and the one whose processor time is measured, if any. */
interface Line {
  readonly shooter: Child;
  readonly worker: Child | undefined;
}

type Roles = readonly [contestant: string, driver?: string];

/** The same processes for all measurements. */
async function shootingTeam(
  start: Start,
  [contestant, driver]: Roles,
  connect: (contestant: Child, driver: Child) => Promise<Line>,
): Promise<Team> {
  const first = start(contestant, "contestant");
  const children = driver === undefined ? [first] : [first, start(driver, "driver")];
  try {
    const { shooter, worker } = await connect(first, children.at(-1)!);
    return { measure: (ms) => shoot(shooter, worker, ms), stop: () => stopAll(children) };
  } catch (error) {
    await stopAll(children);
    throw error;
  }
}

async function serve(server: Child, load: Child): Promise<Line> {
  const port = (await server.ask({ ask: "listen" })) as number;
  await load.ask({ ask: "connect", port });
  return { shooter: load, worker: server };
}

async function ask(client: Child, peer: Child): Promise<Line> {
  const port = (await peer.ask({ ask: "listen" })) as number;
  await client.ask({ ask: "connect", port });
  return { shooter: client, worker: client };
}

async function work(child: Child): Promise<Line> {
  await child.ask({ ask: "connect", port: 0 });
  return { shooter: child, worker: undefined };
}

async function shoot(shooter: Child, worker: Child | undefined, ms: number): Promise<Measurement> {
  const before = (await worker?.ask({ ask: "cpu" })) as number | undefined;
  const shot = (await shooter.ask({ ask: "shoot", ms })) as Shot;
  const after = (await worker?.ask({ ask: "cpu" })) as number | undefined;
  const value = (shot.count / shot.ms) * 1_000;
  return before === undefined ? { value } : { value, cpu: (after! - before) / shot.count };
}

/** New processes for each measurement. */
function freshTeam(
  start: Start,
  [contestant, driver]: Roles,
  run: (contestant: Child, driver: Child | undefined) => Promise<Measurement>,
): Team {
  return {
    async measure() {
      const first = start(contestant, "contestant");
      const second = driver === undefined ? undefined : start(driver, "driver");
      try {
        return await run(first, second);
      } finally {
        await stopAll(second === undefined ? [first] : [first, second]);
      }
    },
    stop: async () => {},
  };
}

async function askValue(child: Child): Promise<Measurement> {
  return { value: (await child.ask({ ask: "value" })) as number };
}

async function measureStorm(
  server: Child,
  crowd: Child,
  connections: number,
): Promise<Measurement> {
  const port = (await server.ask({ ask: "listen" })) as number;
  const before = (await server.ask({ ask: "cpu" })) as number;
  const ms = (await crowd.ask({ ask: "storm", port, connections })) as number;
  const after = (await server.ask({ ask: "cpu" })) as number;
  return { value: (connections / ms) * 1_000, cpu: (after - before) / connections };
}

async function heldMemory(server: Child, holder: Child, connections: number): Promise<Measurement> {
  const port = (await server.ask({ ask: "listen" })) as number;
  // One connection first, to exclude what is created once for all.
  await holder.ask({ ask: "hold", port, connections: 1 });
  const before = (await server.ask({ ask: "memory" })) as number;
  await holder.ask({ ask: "hold", port, connections });
  const after = (await server.ask({ ask: "memory" })) as number;
  return { value: (after - before) / connections };
}

async function stopAll(children: readonly Child[]): Promise<void> {
  await Promise.all(children.map((child) => child.stop()));
}
