// bytes → parser → events → [cycle] → events → serializer → bytes: what both halves of a connection share

import type { RequestEvent, ResponseEvent } from "./message/events.ts";
import { NO_BODY } from "./message/framing.ts";
import { Headers } from "./message/headers.ts";
import { type Switched, switchedBy } from "./message/switched.ts";
import type { Prepared } from "./serializer/prepared.ts";
import { StateMachine } from "./state/machine.ts";

const NO_REQUEST: RequestEvent = Object.freeze({
  type: "request",
  method: "",
  target: "",
  version: "1.1",
  headers: Headers.from([]),
  framing: NO_BODY,
  proposal: undefined,
  expectsContinue: false,
});

/** One request and its final response: the states of both roles, and the request. */
export class Cycle extends StateMachine {
  /** The request that was sent or received. */
  request = NO_REQUEST;
  /** Whether the client holds its body back until it receives a 100 (RFC 9110 §10.1.1). */
  bodyWithheld = false;
  /** Interim responses received so far. */
  interims = 0;

  /** Requests we have sent before the current one was answered: each becomes a cycle in turn. */
  pipelined: Prepared<RequestEvent>[] | undefined;
  /** What the connection switches to, once both heads are known. */
  switched: Switched | undefined;

  /** Whether a request was sent after the current one. */
  get hasPipelined(): boolean {
    return this.pipelined !== undefined && this.pipelined.length > 0;
  }

  /** Begins with this request; `persists` is whether it lets the connection persist. */
  begin(request: RequestEvent, persists: boolean): void {
    this.request = request;
    this.bodyWithheld = request.expectsContinue;
    this.move("client", "request");
    if (request.proposal !== undefined) this.propose();
    if (!persists) this.endPersistence();
  }

  /** The response accepts the proposal of the request. */
  acceptSwitch(response: ResponseEvent): void {
    this.move("server", "switch-accepted");
    this.switched = switchedBy(this.request, response);
  }

  /** Resets for the next request. The caller has checked that the cycle is over. */
  override startNextCycle(): void {
    super.startNextCycle();
    this.request = NO_REQUEST;
    this.bodyWithheld = false;
    this.interims = 0;
  }
}
