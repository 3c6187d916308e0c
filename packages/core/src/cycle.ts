// bytes → parser → events → [cycle] → events → serializer → bytes: what both halves of a connection share

import type { Version } from "./events.ts";
import { StateMachine } from "./state/machine.ts";
import type { Proposal } from "./switching.ts";

/** What both ends must remember of the request while it waits for its response. */
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

/** One request and its final response: where both roles stand, and what was asked. */
export class Cycle {
  readonly machine = new StateMachine();
  request = NO_REQUEST;
  /** The client holds its body back until it sees a 100 (RFC 9110 §10.1.1). */
  bodyWithheld = false;

  /** The client has said this request; `lives` is what it says of persistence. */
  begin(request: RequestInHand, lives: boolean): void {
    this.request = request;
    this.bodyWithheld = request.expectsContinue;
    this.machine.move("client", "request");
    if (request.proposal !== undefined) this.machine.propose();
    if (!lives) this.machine.endPersistence();
  }

  /** Makes room for the next request. Callers have asked the machine whether the cycle is over. */
  startNext(): void {
    this.machine.startNextCycle();
    this.request = NO_REQUEST;
    this.bodyWithheld = false;
  }
}
