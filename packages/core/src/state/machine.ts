// bytes → parser → events → [state machine] → events → serializer → bytes: applies the two tables

import type { Role } from "../base/role.ts";
import { COUPLINGS, type Situation } from "./couplings.ts";
import { CAUSES, type Cause, MOVES } from "./moves.ts";
import { STATES, type State } from "./states.ts";

// The tables as dense arrays, each entry filled on first use: an event costs a lookup and not a
// search, and loading this file costs nothing. The states of both roles are one number, the joint
// state: the client's in the bits from 6 on, the server's from 2 on, and two flags.
const FORBIDDEN = -1;
const UNKNOWN = -2;
const PERSISTS = 1;
const PROPOSED = 2;
const FLAGS = PERSISTS | PROPOSED;
const SERVER_BITS = 2;
const CLIENT_BITS = 6;
const STATE_MASK = 15;
const JOINTS = STATES.length << CLIENT_BITS;
const ERROR = STATES.indexOf("error");
const SWITCHED = STATES.indexOf("switched-protocol");
const BOTH_DONE = jointOf(STATES.indexOf("done"), STATES.indexOf("done"));
const RESTS = new Int16Array(JOINTS).fill(UNKNOWN);
const CLIENT_MOVED = new Int16Array(CAUSES.length * JOINTS).fill(UNKNOWN);
const SERVER_MOVED = new Int16Array(CAUSES.length * JOINTS).fill(UNKNOWN);

/** The states of both roles. It sees no bytes, and does not depend on which role is ours. */
export class StateMachine {
  // Both idle, and persistence on.
  #joint = PERSISTS;

  /** The state of `role`. */
  stateOf(role: Role): State {
    return STATES[role === "client" ? clientOf(this.#joint) : serverOf(this.#joint)]!;
  }

  /** Whether both ends let the connection persist. */
  get persists(): boolean {
    return (this.#joint & PERSISTS) !== 0;
  }

  /** Whether a proposal is open. */
  get proposed(): boolean {
    return (this.#joint & PROPOSED) !== 0;
  }

  /** Whether `cause` is allowed for `role` now. */
  allows(role: Role, cause: Cause): boolean {
    return moved(this.#joint, role, cause) !== FORBIDDEN;
  }

  /** Moves `role`, and applies the couplings. The caller has checked `allows`. */
  move(role: Role, cause: Cause): void {
    this.#joint = moved(this.#joint, role, cause);
  }

  /** Opens a proposal to switch. */
  propose(): void {
    this.#joint = rested(this.#joint | PROPOSED);
  }

  /** Makes this cycle the last. */
  endPersistence(): void {
    this.#joint = rested(this.#joint & ~PERSISTS);
  }

  /** Marks that `role` broke the rules: nothing more is read from it, and this cycle is the last. */
  fail(role: Role): void {
    this.#joint = rested(stand(this.#joint, role, ERROR) & ~PERSISTS);
  }

  /** Whether the client, and so the server, has switched to another protocol. */
  get hasSwitched(): boolean {
    return clientOf(this.#joint) === SWITCHED;
  }

  /** Whether both are done and the connection persists: the next cycle may begin. */
  get cycleIsOver(): boolean {
    return (this.#joint & ~FLAGS) === BOTH_DONE;
  }

  /** Begins the next cycle. The caller has checked `cycleIsOver`. */
  startNextCycle(): void {
    // Idle is the first state.
    this.#joint &= FLAGS;
  }
}

function clientOf(joint: number): number {
  return joint >> CLIENT_BITS;
}

function serverOf(joint: number): number {
  return (joint >> SERVER_BITS) & STATE_MASK;
}

function jointOf(client: number, server: number): number {
  return (client << CLIENT_BITS) | (server << SERVER_BITS);
}

/** The joint state with `role` in `state`. */
function stand(joint: number, role: Role, state: number): number {
  const flags = joint & FLAGS;
  if (role === "client") return jointOf(state, serverOf(joint)) | flags;
  return jointOf(clientOf(joint), state) | flags;
}

// A switch, not a search: if the compiler knows the cause, it knows the number.
function numberOf(cause: Cause): number {
  switch (cause) {
    case "request":
      return 0;
    case "peer-request":
      return 1;
    case "informational-response":
      return 2;
    case "response":
      return 3;
    case "switch-accepted":
      return 4;
    case "data":
      return 5;
    case "end-of-message":
      return 6;
    case "connection-closed":
      return 7;
  }
}

/** Where a situation comes to rest. Exported for the tests, which cover all of them. */
export function restOf(situation: Situation): Situation {
  let now = situation;
  for (;;) {
    const coupling = COUPLINGS.find(({ when }) => (Object.keys(when) as (keyof Situation)[]).every((key) => when[key] === now[key]));
    if (coupling === undefined) return now;
    now = { ...now, ...coupling.becomes };
  }
}

/** The joint state after `cause` of `role` and all couplings, or `FORBIDDEN`. */
function moved(joint: number, role: Role, cause: Cause): number {
  const table = role === "client" ? CLIENT_MOVED : SERVER_MOVED;
  const at = numberOf(cause) * JOINTS + joint;
  const known = table[at]!;
  if (known !== UNKNOWN) return known;
  const to = nextOf(joint, role, cause);
  table[at] = to === undefined ? FORBIDDEN : rested(to);
  return table[at]!;
}

function nextOf(from: number, role: Role, cause: Cause): number | undefined {
  const state = STATES[role === "client" ? clientOf(from) : serverOf(from)]!;
  const to = MOVES[role][state]?.[cause];
  if (to === undefined) return undefined;
  const joint = stand(from, role, STATES.indexOf(to));
  // A server that answered before the request (a 408) does not answer it.
  if (cause === "request") return nextOf(joint, "server", "peer-request") ?? joint;
  // An accepted proposal stays open until the client's request is complete.
  return cause === "response" ? joint & ~PROPOSED : joint;
}

/** The joint state after all couplings. */
function rested(joint: number): number {
  const known = RESTS[joint]!;
  if (known !== UNKNOWN) return known;
  const { client, server } = restOf({
    client: STATES[clientOf(joint)]!,
    server: STATES[serverOf(joint)]!,
    persists: (joint & PERSISTS) !== 0,
    proposed: (joint & PROPOSED) !== 0,
  });
  const rest = jointOf(STATES.indexOf(client), STATES.indexOf(server)) | (joint & FLAGS);
  RESTS[joint] = rest;
  return rest;
}
