// driver ↔ [side] ↔ application: what a role adds to the driver

import type { ConnectionError, UpgradeError } from "../base/errors.ts";
import type { EndOfMessageEvent, RequestEvent, ResponseEvent } from "../message/events.ts";
import type { DeadlineName } from "./deadlines.ts";

/** What a driver reports to its role. */
export type SideEvent =
  | RequestEvent
  | ResponseEvent
  | EndOfMessageEvent
  /** A reader waits for bytes of the peer's body that have not arrived. */
  | { readonly type: "body-wanted" }
  /** The peer has ended its side, between messages. */
  | { readonly type: "peer-ended" }
  /** The rest of the peer's body is too long or too slow to drain. */
  | { readonly type: "drain-failed"; readonly error: ConnectionError }
  /** `close()` was called. */
  | { readonly type: "closing" }
  /** A deadline started by the role has passed. */
  | { readonly type: "deadline"; readonly name: DeadlineName };

/** Turns events into what an application sees, as a client or as a server. */
export interface Side {
  /** No exchange is in progress or queued. */
  readonly isIdle: boolean;
  receive(event: SideEvent): void;
  /** The cycle is over and the next one may begin. */
  nextCycle(): void;
  /** HTTP is over: rejects everything still pending. */
  over(why: () => UpgradeError): void;
  /** HTTP has failed. Returns true if it sent an error response. Must not call the application. */
  answer?(error: UpgradeError): boolean;
  /** HTTP has failed, and the io has been dealt with. */
  reportFailure?(error: UpgradeError): void;
}
