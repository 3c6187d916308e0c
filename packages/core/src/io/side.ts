// driver ↔ [side] ↔ application: what a role adds to the driver

import type { ConnectionError, UpgradeError } from "../errors.ts";
import type { RequestEvent, ResponseEvent } from "../events.ts";
import type { DeadlineName } from "./deadlines.ts";
import type { Switched } from "./parts.ts";

/** How events look to an application: the client's way, or the server's. */
export interface Side {
  /** No exchange is in hand, and none waits. */
  readonly isIdle: boolean;
  /** What the connection has switched to, once both heads were seen. */
  readonly switched: Switched | undefined;
  /** The response that refused the last proposal. */
  readonly refusal: unknown;
  onHead(event: RequestEvent | ResponseEvent): void;
  /** The peer's message is complete. */
  onMessageEnd(): void;
  /** The peer has ended its side, behind complete messages. */
  onPeerEnd(): void;
  /** The cycle is over and the next one may begin. */
  onNextCycle(): void;
  /** Somebody waits for a body that is not here yet. */
  onBodyWanted(): void;
  /** The rest of the peer's body is longer, or slower, than is worth reading. */
  onDrainFailed(error: ConnectionError): void;
  /** Graceful close was asked for. */
  onClose(): void;
  /** HTTP has failed. True: an answer was said that the peer should get. Calls no application. */
  answerFailure(error: UpgradeError): boolean;
  /** HTTP has failed, and all that follows for the io is done: who wants to know is told. */
  onFailed(error: UpgradeError): void;
  /** HTTP is over: whoever still waits for something is told why it will not come. */
  onOver(why: () => UpgradeError): void;
  /** The io waits for its next owner; who was promised the parts takes them now. */
  onTakeable(): void;
  onDeadline(name: DeadlineName): void;
}
