// One process of a benchmark: a contestant or a driver. Answers the main process.

import { setImmediate } from "node:timers/promises";
import { loadBenchmarks } from "./benchmarks/index.ts";
import type { Benchmark, Shoot } from "./src/benchmark.ts";
import type { Answer, Question } from "./src/children.ts";

const [name = "", role = ""] = process.argv.slice(2);
let shoot: Shoot;

async function answer(benchmark: Benchmark, question: Question): Promise<unknown> {
  switch (question.ask) {
    case "listen":
      return listen(benchmark);
    case "connect":
      shoot = await connect(benchmark, question.port);
      return undefined;
    case "shoot":
      return shoot(question.ms);
    case "value":
      if (benchmark.kind !== "value") throw new Error("no value");
      return benchmark.contestants[role]!();
    case "hold":
      if (benchmark.kind !== "memory") throw new Error("nothing to hold");
      return benchmark.hold(question.port, question.connections);
    case "storm": {
      if (benchmark.kind !== "storm") throw new Error("no storm");
      const start = performance.now();
      await benchmark.storm(question.port, question.connections);
      return performance.now() - start;
    }
    case "cpu": {
      const { user, system } = process.cpuUsage();
      return user + system;
    }
    case "memory":
      return collectedMemory();
  }
}

function listen(benchmark: Benchmark): Promise<number> {
  switch (benchmark.kind) {
    case "client":
      return benchmark.peer();
    case "server":
    case "memory":
    case "storm":
      return benchmark.contestants[role]!();
    default:
      throw new Error(`${benchmark.name} has no server`);
  }
}

async function connect(benchmark: Benchmark, port: number): Promise<Shoot> {
  if (benchmark.kind === "server") return benchmark.load(port);
  if (benchmark.kind === "client") return benchmark.contestants[role]!(port);
  if (benchmark.kind === "local") return benchmark.contestants[role]!();
  throw new Error("no driver");
}

// Twice, with a turn in between: what a finalizer releases is garbage only then.
async function collectedMemory(): Promise<number> {
  for (let i = 0; i < 3; i++) {
    globalThis.gc!();
    await setImmediate();
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

const [benchmark] = await loadBenchmarks([name]);
process.on("disconnect", () => process.exit());
process.on("message", (question: Question) => {
  const send = (message: Answer): void => void process.send!(message);
  answer(benchmark!, question).then(
    (result) => send({ answer: result }),
    (error) => send({ error: error instanceof Error ? (error.stack ?? "") : String(error) }),
  );
});
