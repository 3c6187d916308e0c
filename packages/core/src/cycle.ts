// bytes → parser → events → [cycle] → events → serializer → bytes: what both halves of a connection share

import type { Proposal } from "./message/switching.ts";
import type { Version } from "./message/version.ts";
import { StateMachine } from "./state/machine.ts";

/** What both ends need to know of the request until its response is complete. */
export interface RequestInHand {
  readonly method: string;
  readonly version: Version;
  readonly proposal: Proposal | undefined;
  readonly expectsContinue: boolean;
}

const NO_REQUEST: RequestInHand = {
  method: "",
  version: "1.1",
  proposal: undefined,
  expectsContinue: false,
};

/** One request and its final response: the states of both roles, and the request. */
export class Cycle {
  readonly machine = new StateMachine();
  request = NO_REQUEST;
  /** Whether the client holds its body back until it receives a 100 (RFC 9110 §10.1.1). */
  bodyWithheld = false;

  /** Begins with this request; `persists` is whether it lets the connection persist. */
  begin(request: RequestInHand, persists: boolean): void {
    this.request = request;
    this.bodyWithheld = request.expectsContinue;
    this.machine.move("client", "request");
    if (request.proposal !== undefined) this.machine.propose();
    if (!persists) this.machine.endPersistence();
  }

  /** Resets for the next request. The caller has checked that the cycle is over. */
  startNext(): void {
    this.machine.startNextCycle();
    this.request = NO_REQUEST;
    this.bodyWithheld = false;
  }
}
