// driver ← [awaiting] ← connection: what the reading half waits for, and its deadline

import type { Framing } from "../message/framing.ts";
import type { State } from "../state/states.ts";
import type { Driver } from "./driver.ts";

/** The deadline of what is awaited. */
const DEADLINES = { head: "head", idle: "idle", content: "body", trailers: "body" } as const;

type Awaited = keyof typeof DEADLINES;

/** Runs the deadline for what is awaited from the peer. */
export abstract class Awaiting {
  protected readonly driver: Driver;
  #awaited: Awaited | undefined;
  #requests = 0;
  // What was left of the body deadline when we stopped reading: a pause of ours does not count.
  #contentLeftMs: number | undefined;

  constructor(driver: Driver) {
    this.driver = driver;
  }

  /** Updates what is awaited. `requests` is the number started so far. */
  protected update(isReading: boolean, theirs: State, isIdle: boolean, requests: number): void {
    const awaited = this.#whatIsAwaited(isReading, theirs, isIdle);
    // If whole exchanges have passed since the last update, the same wait starts anew.
    if (awaited === this.#awaited && requests === this.#requests) return;
    this.#leave(awaited, theirs, requests);
    this.#awaited = awaited;
    this.#requests = requests;
    if (awaited === undefined) return;
    const ms = this.#msOf(awaited, requests === 0);
    if (ms === 0) this.driver.deadlines.stop(DEADLINES[awaited]);
    else this.driver.deadlines.start(DEADLINES[awaited], ms);
  }

  #leave(next: Awaited | undefined, theirs: State, requests: number): void {
    const before = this.#awaited;
    const { deadlines } = this.driver;
    const isSameBody = requests === this.#requests && theirs === "send-body";
    if (!isSameBody) this.#contentLeftMs = undefined;
    else if (before === "content") this.#contentLeftMs = deadlines.left("body");
    if (before !== undefined && before !== next) deadlines.stop(DEADLINES[before]);
  }

  /**
   * Bytes arrived: extends a body's deadline by the time they may take at the minimum rate, to at
   * most bodyProgressMs. A head and a trailer section get no extension.
   */
  protected progress(bytes: number, framing: Framing | undefined): void {
    if (this.#awaited !== "content" || bytes === 0) return;
    const { bodyProgressMs, minBodyBytesPerSecond, minStreamBytesPerSecond } = this.driver.limits;
    const isKnown = framing?.kind === "content-length";
    const bytesPerSecond = isKnown ? minBodyBytesPerSecond : minStreamBytesPerSecond;
    this.driver.deadlines.extend("body", (bytes * 1_000) / bytesPerSecond, bodyProgressMs);
  }

  #whatIsAwaited(isReading: boolean, theirs: State, isIdle: boolean): Awaited | undefined {
    const { http } = this.driver;
    if (theirs === "send-body") {
      // No deadline while our own reader is slow, unless the response is sent and only the body is
      // left.
      const isAnswered = http.role === "server" && http.ourState === "done";
      return isReading || isAnswered ? http.bodyOwed : undefined;
    }
    if (theirs !== "idle" && theirs !== "send-response") return undefined;
    if (http.headHasBegun) return "head";
    return theirs === "idle" && isIdle ? "idle" : undefined;
  }

  #msOf(awaited: Awaited, isFirst: boolean): number {
    const { headMs, idleMs, bodyProgressMs } = this.driver.limits;
    // 0 would mean no deadline.
    if (awaited === "content")
      return bodyProgressMs && Math.max(this.#contentLeftMs ?? bodyProgressMs, 1);
    // A new client must send its first head; only later may it idle.
    const expectsHead = awaited !== "idle" || (isFirst && this.driver.http.role === "server");
    return expectsHead ? headMs : idleMs;
  }
}
