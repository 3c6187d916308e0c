// driver ← [awaiting] ← connection: what the reading half waits for, each with its deadline

import type { HttpConnection } from "../connection.ts";
import type { Framing } from "../framing.ts";
import type { DeadlineName, Deadlines } from "./deadlines.ts";

type Awaited = "head" | "idle" | "content" | "trailers";

/** Keeps one deadline for what is awaited from the peer. */
export class Awaiting {
  readonly #http: HttpConnection;
  readonly #deadlines: Deadlines;
  #awaited: Awaited | undefined;
  #requests = 0;
  // What was left of the body's deadline when we stopped reading: the time until we read on is ours.
  #contentLeftMs: number;

  constructor(http: HttpConnection, deadlines: Deadlines) {
    this.#http = http;
    this.#deadlines = deadlines;
    this.#contentLeftMs = http.limits.bodyProgressMs;
  }

  /** Looks again at what is awaited. `requests`: how many have begun. */
  update(isReading: boolean, isIdle: boolean, requests: number): void {
    const awaited = this.#whatIsAwaited(isReading, isIdle);
    // The same is awaited anew if whole exchanges have passed since the last look.
    if (awaited === this.#awaited && requests === this.#requests) return;
    this.#stop(requests);
    this.#awaited = awaited;
    this.#requests = requests;
    if (awaited === undefined) return;
    this.#deadlines.start(deadlineOf(awaited), this.#msOf(awaited, requests === 0));
  }

  #stop(requests: number): void {
    const before = this.#awaited;
    const isSameBody = requests === this.#requests && this.#http.theirState === "send-body";
    if (!isSameBody) this.#contentLeftMs = this.#http.limits.bodyProgressMs;
    else if (before === "content") this.#contentLeftMs = this.#deadlines.left("body");
    if (before !== undefined) this.#deadlines.stop(deadlineOf(before));
  }

  /**
   * Bytes came: what is awaited of a body has as much more time as its least speed gives them, and
   * never more than bodyProgressMs. A head and a trailer section have no more time.
   */
  progress(bytes: number, framing: Framing | undefined): void {
    if (this.#awaited !== "content" || bytes === 0) return;
    const { bodyProgressMs, minBodyBytesPerSecond, minStreamBytesPerSecond } = this.#http.limits;
    const isKnown = framing?.kind === "content-length";
    const bytesPerSecond = isKnown ? minBodyBytesPerSecond : minStreamBytesPerSecond;
    this.#deadlines.extend("body", (bytes * 1_000) / bytesPerSecond, bodyProgressMs);
  }

  #whatIsAwaited(isReading: boolean, isIdle: boolean): Awaited | undefined {
    const { role, ourState, theirState, headHasBegun } = this.#http;
    // A slow reader of ours takes its own time, unless all is answered and the connection waits for it.
    const isAnswered = role === "server" && ourState === "done";
    if (theirState === "send-body") {
      return isReading || isAnswered ? this.#http.bodyOwed : undefined;
    }
    if (theirState !== "idle" && theirState !== "send-response") return undefined;
    if (headHasBegun) return "head";
    return theirState === "idle" && isIdle ? "idle" : undefined;
  }

  #msOf(awaited: Awaited, isFirst: boolean): number {
    const { headMs, idleMs, bodyProgressMs } = this.#http.limits;
    // 0 would be no deadline at all.
    if (awaited === "content") return bodyProgressMs && Math.max(this.#contentLeftMs, 1);
    // A new client owes its first head; only a later one may idle.
    const owesHead = awaited !== "idle" || (isFirst && this.#http.role === "server");
    return owesHead ? headMs : idleMs;
  }
}

function deadlineOf(awaited: Awaited): DeadlineName {
  return awaited === "content" || awaited === "trailers" ? "body" : awaited;
}
