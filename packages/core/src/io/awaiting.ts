// driver ← [awaiting] ← connection: what the reading half waits for, each with its deadline

import type { HttpConnection } from "../connection.ts";
import type { Limits } from "../limits.ts";
import type { Deadlines } from "./deadlines.ts";

type Awaited = "head" | "idle" | "body";

/** Keeps one deadline for what is awaited from the peer. */
export class Awaiting {
  readonly #http: HttpConnection;
  readonly #limits: Limits;
  readonly #deadlines: Deadlines;
  #awaited: Awaited | undefined;
  #requests = 0;

  constructor(http: HttpConnection, deadlines: Deadlines) {
    this.#http = http;
    this.#limits = http.limits;
    this.#deadlines = deadlines;
  }

  /** Looks again at what is awaited. `requests`: how many have begun. */
  update(isReading: boolean, isIdle: boolean, requests: number): void {
    const awaited = this.#whatIsAwaited(isReading, isIdle);
    // The same is awaited anew where whole exchanges have passed since the last look.
    if (awaited === this.#awaited && requests === this.#requests) return;
    if (this.#awaited !== undefined) this.#deadlines.stop(this.#awaited);
    this.#awaited = awaited;
    this.#requests = requests;
    if (awaited !== undefined) this.#deadlines.start(awaited, this.#msOf(awaited, requests === 0));
  }

  /** Bytes came: a body is allowed another while, a head is not. */
  progress(): void {
    if (this.#awaited === "body") this.#deadlines.start("body", this.#limits.bodyProgressMs);
  }

  #whatIsAwaited(isReading: boolean, isIdle: boolean): Awaited | undefined {
    const { role, ourState, theirState, headHasBegun } = this.#http;
    // Nobody is hurried who reads slowly, unless all is answered and the connection waits for him.
    const isAnswered = role === "server" && ourState === "done";
    if (theirState === "send-body") return isReading || isAnswered ? "body" : undefined;
    if (theirState !== "idle" && theirState !== "send-response") return undefined;
    if (headHasBegun) return "head";
    return theirState === "idle" && isIdle ? "idle" : undefined;
  }

  #msOf(awaited: Awaited, isFirst: boolean): number {
    const { headMs, idleMs, bodyProgressMs } = this.#limits;
    if (awaited === "body") return bodyProgressMs;
    // A new client owes its first head; only a later one may idle.
    const owesHead = awaited === "head" || (isFirst && this.#http.role === "server");
    return owesHead ? headMs : idleMs;
  }
}
