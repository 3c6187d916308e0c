// bytes → parser → events → [state machine] → events → serializer → bytes: applies the two tables

// A connection carries one cycle after another: a request, and its final response. Each end of it
// keeps the state of both roles: our own by what we send, the peer's by what we receive. Since both
// ends see the same messages, they agree.
//
// What happens moves the states in two ways. An event (a head, a piece of a body, the end of a
// message, the end of the connection) moves the role that sent it: MOVES has a row for every state
// and every event that is allowed in it. Then the states of both roles, and two facts of the cycle
// (may the connection persist, is a proposal open), may move either role again: a request that is
// complete waits for the answer to its proposal; the last message of a role must be followed by the
// end of its side. COUPLINGS has these moves. They apply until none matches, and so no caller sees a
// situation that is about to change.

import type { Role } from "../base/role.ts";
import { type JointState, START } from "./joint-state.ts";
import type { Cause } from "./moves.ts";

/** The states of both roles. It sees no bytes, and does not depend on which role is ours. */
export class StateMachine {
  /** The states of both roles, and what follows from them. Only this class changes it. */
  now: JointState = START;

  /** Moves to a joint state that an allowed cause leads to. */
  enter(next: JointState): void {
    this.now = next;
  }

  /** Moves `role`, and applies the couplings. The cause is allowed. */
  move(role: Role, cause: Cause): void {
    this.now = this.now.after(role, cause)!;
  }

  /** Opens a proposal to switch. */
  propose(): void {
    this.now = this.now.after("client", "proposal")!;
  }

  /** Makes this cycle the last. */
  endPersistence(): void {
    if (this.now.persists) this.now = this.now.after("client", "last-cycle")!;
  }

  /** Marks that `role` broke the rules: nothing more is read from it, and this cycle is the last. */
  fail(role: Role): void {
    this.now = this.now.after(role, "fault")!;
  }

  /** Begins the next cycle. The caller has checked `cycleIsOver`. */
  startNextCycle(): void {
    this.now = this.now.after("client", "next-cycle")!;
  }
}
