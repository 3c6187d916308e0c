// A thread of Node, Bun or Deno: plays the servers' halves for the program that started it.

import { parent } from "../adapters/threads.ts";
import { serveCases } from "../adapters/worker.ts";

serveCases(parent());
