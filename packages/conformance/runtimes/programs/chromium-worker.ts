// A worker of Chromium: plays the servers' halves for its page.

import { serveCases, type WorkerLike } from "../adapters/worker.ts";

serveCases(globalThis as unknown as WorkerLike);
