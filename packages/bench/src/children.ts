// Processes of the contestants and their drivers: started, given one task at a time, and ended.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What a child process is. */
export interface Part {
  readonly benchmark: string;
  /** A contestant's name, or the driver. */
  readonly role: string;
  /** Contestants and their drivers do not share a core if there are two. */
  readonly core: "contestant" | "driver";
}

/** Requests to a child. */
export type Question =
  | { readonly ask: "listen" }
  | { readonly ask: "connect"; readonly port: number }
  | { readonly ask: "shoot"; readonly ms: number }
  | { readonly ask: "value" }
  | { readonly ask: "hold"; readonly port: number; readonly connections: number }
  | { readonly ask: "storm"; readonly port: number; readonly connections: number }
  | { readonly ask: "cpu" }
  | { readonly ask: "memory" };

export type Answer = { readonly answer: unknown } | { readonly error: string };

const CHILD = fileURLToPath(new URL("./child.js", import.meta.url));
const MAX_ANSWER_MS = 60_000;
const CORES = pinnableCores();

/** Whether contestants and drivers each have their own core. */
export const isPinned = CORES !== undefined;

/** One child process. It exits with its parent, or when it is asked to. */
export class Child {
  readonly #part: Part;
  readonly #process: ChildProcess;
  #pending: { resolve(answer: unknown): void; reject(error: Error): void } | undefined;
  #ended: string | undefined;

  constructor(part: Part) {
    this.#part = part;
    // Node warns about access to the native parser.
    const node = ["--expose-gc", "--no-deprecation", CHILD, part.benchmark, part.role];
    const core = CORES?.[part.core];
    const [command, args] =
      core === undefined
        ? [process.execPath, node]
        : ["taskset", ["-c", String(core), process.execPath, ...node]];
    this.#process = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.#process.on("message", (message) => this.#settle(message as Answer));
    this.#process.on("error", (error) => this.#end(error.message));
    this.#process.on("exit", (code, signal) => this.#end(`it ended with ${code ?? signal}`));
  }

  ask(question: Question): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#blame(this.#ended));
    return new Promise((resolve, reject) => {
      const late = setTimeout(
        () => this.#settle({ error: `no answer to ${question.ask} in ${MAX_ANSWER_MS} ms` }),
        MAX_ANSWER_MS,
      );
      const done = <T>(settle: (outcome: T) => void) => {
        return (outcome: T): void => {
          clearTimeout(late);
          this.#pending = undefined;
          settle(outcome);
        };
      };
      this.#pending = { resolve: done(resolve), reject: done(reject) };
      this.#process.send(question, (error) => {
        if (error !== null) this.#end(error.message);
      });
    });
  }

  stop(): Promise<void> {
    if (this.#ended !== undefined) return Promise.resolve();
    return new Promise((resolve) => {
      this.#process.once("exit", () => resolve());
      this.#process.kill("SIGKILL");
    });
  }

  #settle(message: Answer): void {
    if ("error" in message) this.#pending?.reject(this.#blame(message.error));
    else this.#pending?.resolve(message.answer);
  }

  #end(why: string): void {
    this.#ended ??= why;
    this.#pending?.reject(this.#blame(this.#ended));
  }

  #blame(what: string): Error {
    return new Error(`${this.#part.benchmark}, ${this.#part.role}: ${what}`);
  }
}

// The first two cores that this process may run on. Processes are pinned only on Linux.
function pinnableCores(): { readonly contestant: number; readonly driver: number } | undefined {
  try {
    const status = readFileSync("/proc/self/status", "utf8");
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? "";
    const [contestant, driver] = list.split(",").flatMap((range) => {
      const [first = 0, last = first] = range.split("-").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    });
    const works = spawnSync("taskset", ["-c", String(driver), "true"]).status === 0;
    return works && contestant !== undefined && driver !== undefined
      ? { contestant, driver }
      : undefined;
  } catch {
    return undefined;
  }
}
