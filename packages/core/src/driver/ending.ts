// driver → [ending] → application: why HTTP ended, reported once to every waiter

import { LocalProtocolError, type UpgradeError } from "../base/errors.ts";
import { Deferred } from "../transports/deferred.ts";

/** Why a connection ended or cannot be reused. */
export type CloseReason =
  | { readonly kind: "switched"; readonly protocol: string }
  | { readonly kind: "peer-ended"; readonly because: string }
  | { readonly kind: "not-persistent"; readonly because: string }
  | { readonly kind: "closed"; readonly because: string }
  | { readonly kind: "idle"; readonly because: string }
  | { readonly kind: "taken-apart"; readonly because: string }
  | { readonly kind: "failed"; readonly error: UpgradeError };

export const CLOSED = { kind: "closed", because: "close() was called" } as const;
export const IDLE = { kind: "idle", because: "nothing arrived before the idle deadline" } as const;
export const PEER_ENDED = {
  kind: "peer-ended",
  because: "the peer ended its side between messages",
} as const;
export const LAST_CYCLE = {
  kind: "not-persistent",
  because: "one side does not keep the connection alive",
} as const;

/** The result of `pollWithoutShutdown`. */
export type HttpEnd =
  | { readonly kind: "switched"; readonly protocol: string }
  | { readonly kind: "refused"; readonly status: number }
  | { readonly kind: "ended"; readonly reason: CloseReason };

/** The end of one connection, and what waits for it. Promises are created on demand. */
export class Ending {
  #reason: CloseReason | undefined;
  #end: HttpEnd | undefined;
  #isDown = false;
  #polls: Deferred<HttpEnd>[] | undefined;
  #runs: Deferred<void>[] | undefined;
  #closed: Deferred<CloseReason> | undefined;
  #owner: string | undefined;

  /** A caller polls for the end without shutdown. */
  get isPolled(): boolean {
    return this.#polls !== undefined;
  }

  /** HTTP is over. */
  get isOver(): boolean {
    return this.#end !== undefined;
  }

  poll(): Promise<HttpEnd> {
    const waiter = new Deferred<HttpEnd>();
    if (this.#end !== undefined) settle(waiter, this.#end, this.#reason!);
    else if (this.#polls !== undefined) this.#polls.push(waiter);
    else this.#polls = [waiter];
    return waiter.promise;
  }

  run(): Promise<void> {
    const waiter = new Deferred<void>();
    this.#runs ??= [];
    this.#runs.push(waiter);
    if (this.#isDown || this.#end?.kind === "switched") this.#settleRuns();
    return waiter.promise;
  }

  get closed(): Promise<CloseReason> {
    if (this.#closed === undefined) {
      this.#closed = new Deferred();
      if (this.#isDown || this.#end?.kind === "switched") this.#closed.resolve(this.#reason!);
    }
    return this.#closed.promise;
  }

  /** The proposal was refused; HTTP continues. */
  refused(status: number): void {
    const polls = this.#polls ?? [];
    this.#polls = undefined;
    for (const waiter of polls) waiter.resolve({ kind: "refused", status });
  }

  /** The io cannot be left open: rejects the polls, and HTTP ends as if there were none. */
  refuse(error: LocalProtocolError): void {
    const polls = this.#polls ?? [];
    this.#polls = undefined;
    for (const waiter of polls) waiter.reject(error);
  }

  /** HTTP is over: settles everything that waits for that. */
  over(reason: CloseReason): void {
    if (this.#end !== undefined) return;
    this.#reason = reason;
    this.#end =
      reason.kind === "switched"
        ? { kind: "switched", protocol: reason.protocol }
        : { kind: "ended", reason };
    const polls = this.#polls ?? [];
    this.#polls = undefined;
    for (const waiter of polls) settle(waiter, this.#end, reason);
    if (reason.kind !== "switched") return;
    this.#settleRuns();
    this.#closed?.resolve(reason);
  }

  /** Replaces an end already reported, e.g. when a switched connection is not claimed. */
  overrule(reason: CloseReason): void {
    this.#reason = reason;
    this.#end = { kind: "ended", reason };
  }

  /** The io is shut down or has a new owner: nothing more will happen. */
  down(reason: CloseReason): void {
    if (this.#isDown) return;
    this.#isDown = true;
    this.#reason ??= reason;
    this.#settleRuns();
    this.#closed?.resolve(this.#reason!);
  }

  /** @throws {LocalProtocolError} `ALREADY_TAKEN`, which names the owner. */
  claim(owner: string): void {
    this.assertUnclaimed();
    this.#owner = owner;
  }

  /** @throws {LocalProtocolError} `ALREADY_TAKEN`, which names the owner. */
  assertUnclaimed(): void {
    if (this.#owner === undefined) return;
    throw new LocalProtocolError("ALREADY_TAKEN", `by ${this.#owner}`);
  }

  #settleRuns(): void {
    const runs = this.#runs ?? [];
    this.#runs = undefined;
    for (const waiter of runs) {
      if (this.#reason?.kind === "failed") waiter.reject(this.#reason.error);
      else waiter.resolve();
    }
  }
}

function settle(waiter: Deferred<HttpEnd>, end: HttpEnd, reason: CloseReason): void {
  if (reason.kind === "failed") waiter.reject(reason.error);
  else waiter.resolve(end);
}
