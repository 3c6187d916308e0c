// bytes → parser → events → [state machine] → events → serializer → bytes: applies the two tables

import type { Role } from "../role.ts";
import { COUPLINGS, type Situation } from "./couplings.ts";
import { type Cause, MOVES } from "./moves.ts";
import { STATES, type State } from "./states.ts";

// The tables, compiled once into dense arrays: a lookup in place of a search per event. Where both
// roles stand is one number, the joint state: client, server, persists, proposed.
const NAMES = Object.keys(STATES) as State[];
const CAUSES: readonly Cause[] = ["request", "peer-request", "informational-response", "response", "switch-accepted", "data", "end-of-message", "connection-closed"];
const FORBIDDEN = -1;
const PERSISTS = 1;
const PROPOSED = 2;
const FLAGS = 4;
const SERVERS = FLAGS;
const CLIENTS = FLAGS * NAMES.length;
const JOINTS = CLIENTS * NAMES.length;
const DONE = NAMES.indexOf("done");
const ERROR = NAMES.indexOf("error");
const BOTH_DONE = DONE * CLIENTS + DONE * SERVERS;
const RESTS = compileCouplings();
const MOVED = { client: compileMoves("client"), server: compileMoves("server") };

/** Where both roles stand. It has never seen a byte, and does not know which role is ours. */
export class StateMachine {
  // Both idle, and persistence on.
  #joint = PERSISTS;

  /** The state of `role`. */
  stateOf(role: Role): State {
    return NAMES[role === "client" ? clientOf(this.#joint) : serverOf(this.#joint)]!;
  }

  /** Both ends let the connection live on. */
  get persists(): boolean {
    return (this.#joint & PERSISTS) !== 0;
  }

  /** A proposal waits for its answer. */
  get proposed(): boolean {
    return (this.#joint & PROPOSED) !== 0;
  }

  /** Whether `role` may do this now. */
  allows(role: Role, cause: Cause): boolean {
    return MOVED[role][numberOf(cause) * JOINTS + this.#joint] !== FORBIDDEN;
  }

  /** Moves `role`, and the other one as far as the couplings say. Callers have asked `allows`. */
  move(role: Role, cause: Cause): void {
    this.#joint = MOVED[role][numberOf(cause) * JOINTS + this.#joint]!;
  }

  /** The request proposes a switch. */
  propose(): void {
    this.#joint = RESTS[this.#joint | PROPOSED]!;
  }

  /** One end has said, or shown, that this cycle is the last. */
  endPersistence(): void {
    this.#joint = RESTS[this.#joint & ~PERSISTS]!;
  }

  /** `role` broke the rules; nothing it says counts any more, and this cycle is the last. */
  fail(role: Role): void {
    this.#joint = RESTS[stand(this.#joint, role, ERROR) & ~PERSISTS]!;
  }

  /** Both are done and persistence is on: the next cycle may begin. */
  get cycleIsOver(): boolean {
    return this.#joint - (this.#joint % FLAGS) === BOTH_DONE;
  }

  /** Begins the next cycle. Callers have asked `cycleIsOver`. */
  startNextCycle(): void {
    // Idle is the first state.
    this.#joint %= FLAGS;
  }
}

function clientOf(joint: number): number {
  return Math.floor(joint / CLIENTS);
}

function serverOf(joint: number): number {
  return Math.floor((joint % CLIENTS) / SERVERS);
}

/** The joint state in which `role` stands at `state`. */
function stand(joint: number, role: Role, state: number): number {
  if (role === "client") return (joint % CLIENTS) + state * CLIENTS;
  return joint + (state - serverOf(joint)) * SERVERS;
}

// A switch, and not a search: where the cause is known to the compiler, so is its number.
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

/** Where a situation comes to rest. Exported for the tests, which walk all of them. */
export function restOf(situation: Situation): Situation {
  let now = situation;
  for (;;) {
    const coupling = COUPLINGS.find(({ when }) => (Object.keys(when) as (keyof Situation)[]).every((key) => when[key] === now[key]));
    if (coupling === undefined) return now;
    now = { ...now, ...coupling.becomes };
  }
}

// For each cause and each joint state, where it leads and comes to rest.
function compileMoves(role: Role): Int16Array {
  const moved = new Int16Array(CAUSES.length * JOINTS).fill(FORBIDDEN);
  for (const cause of CAUSES) {
    for (let joint = 0; joint < JOINTS; joint++) {
      const to = nextOf(joint, role, cause);
      if (to !== undefined) moved[numberOf(cause) * JOINTS + joint] = RESTS[to]!;
    }
  }
  return moved;
}

function nextOf(from: number, role: Role, cause: Cause): number | undefined {
  const state = NAMES[role === "client" ? clientOf(from) : serverOf(from)]!;
  const to = MOVES[role][state]?.[cause];
  if (to === undefined) return undefined;
  const joint = stand(from, role, NAMES.indexOf(to));
  // A server that has spoken before it was asked (a 408) owes this request nothing.
  if (cause === "request") return nextOf(joint, "server", "peer-request") ?? joint;
  // An accepted proposal stays open until the client has said all it had to say.
  return cause === "response" ? joint & ~PROPOSED : joint;
}

function compileCouplings(): Int16Array {
  const rests = new Int16Array(JOINTS);
  for (let joint = 0; joint < JOINTS; joint++) {
    const { client, server } = restOf({
      client: NAMES[clientOf(joint)]!,
      server: NAMES[serverOf(joint)]!,
      persists: (joint & PERSISTS) !== 0,
      proposed: (joint & PROPOSED) !== 0,
    });
    const flags = joint % FLAGS;
    rests[joint] = NAMES.indexOf(client) * CLIENTS + NAMES.indexOf(server) * SERVERS + flags;
  }
  return rests;
}
