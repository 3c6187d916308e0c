// A page of Chromium: posts the result of each case, then that it is over.

import { memory, messagePorts, transformStreams } from "../adapters/in-memory.ts";
import { portsToWorker, streamsToWorker, type WorkerLike } from "../adapters/worker.ts";
import { runSuite } from "../suite/run.ts";

declare const Worker: new (url: string, options: { type: "module" }) => WorkerLike;

const post = (where: string, body = "") => fetch(where, { method: "POST", body });
const worker = new Worker("/chromium-worker.js", { type: "module" });
const transports = [
  memory,
  transformStreams,
  messagePorts,
  portsToWorker(worker),
  streamsToWorker(worker),
];
await runSuite(transports, (result) => post("/result", JSON.stringify(result)));
await post("/over");
