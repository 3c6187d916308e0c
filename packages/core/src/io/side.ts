// driver ↔ [side] ↔ application: what a role adds to the driver

import type { ConnectionError, UpgradeError } from "../errors.ts";
import type { EndOfMessageEvent, RequestEvent, ResponseEvent } from "../events.ts";
import type { DeadlineName } from "./deadlines.ts";

/** What happens on a connection and matters to a role: what the peer sends, and what becomes of it. */
export type Occasion =
  | RequestEvent
  | ResponseEvent
  | EndOfMessageEvent
  /** The peer has ended its side, after complete messages. */
  | { readonly type: "peer-ended" }
  /** The rest of the peer's body is longer, or slower, than is worth reading. */
  | { readonly type: "drain-failed"; readonly error: ConnectionError }
  /** `close()` was called. */
  | { readonly type: "closing" }
  /** A deadline has passed that the role has started. */
  | { readonly type: "deadline"; readonly name: DeadlineName };

/** How events look to an application: the client's way, or the server's. */
export interface Side {
  /** No exchange is in hand, and none waits. */
  readonly isIdle: boolean;
  receive(occasion: Occasion): void;
  /** The cycle is over and the next one may begin. */
  nextCycle(): void;
  /** HTTP is over: whoever still waits for something learns why it will not come. */
  over(why: () => UpgradeError): void;
  /** HTTP has failed. True: the peer is sent an answer that says so. Calls no application. */
  answer?(error: UpgradeError): boolean;
  /** HTTP has failed, and all that follows for the io is done. */
  reportFailure?(error: UpgradeError): void;
}
