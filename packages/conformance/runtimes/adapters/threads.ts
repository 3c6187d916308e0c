// Threads of node:worker_threads, in Node, Bun and Deno, with the events of a worker.

import { parentPort, Worker } from "node:worker_threads";
import type { WorkerLike } from "./worker.ts";

type Side = Pick<Worker, "postMessage" | "on">;

function asWorker(side: Side): WorkerLike {
  return {
    postMessage: (message, transfer) => side.postMessage(message, transfer as never),
    addEventListener: (type, listener) => void side.on(type, (data) => listener({ data })),
  };
}

/** Starts a thread that runs a file next to this program. */
export const thread = (file: string): WorkerLike =>
  asWorker(new Worker(new URL(file, import.meta.url)));

/** The page of this thread. */
export const parent = (): WorkerLike => asWorker(parentPort as unknown as Side);
