// bytes → parser → events → [state machine] → events → serializer → bytes: applies the two tables

import type { Role } from "../role.ts";
import { COUPLINGS, type Situation } from "./couplings.ts";
import { type Cause, MOVES } from "./moves.ts";
import { STATES, type State } from "./states.ts";

// The tables, compiled once into dense arrays: a lookup in place of a search per event.
const NAMES = Object.keys(STATES) as State[];
const CAUSES: readonly Cause[] = ["request", "peer-request", "informational-response", "response", "switch-accepted", "data", "end-of-message", "connection-closed"];
const FORBIDDEN = -1;
const NUMBER_OF = Object.fromEntries(CAUSES.map((cause, c) => [cause, c])) as Record<Cause, number>;
const DONE = NAMES.indexOf("done");
const NEXT = { client: compileMoves("client"), server: compileMoves("server") };
const RESTS = compileCouplings();

/** Where both roles stand. It has never seen a byte, and does not know which role is ours. */
export class StateMachine {
  #client = 0;
  #server = 0;
  #persists = true;
  #proposed = false;

  /** The state of `role`. */
  stateOf(role: Role): State {
    return NAMES[role === "client" ? this.#client : this.#server]!;
  }

  /** Both ends let the connection live on. */
  get persists(): boolean {
    return this.#persists;
  }

  /** A proposal waits for its answer. */
  get proposed(): boolean {
    return this.#proposed;
  }

  /** Whether `role` may do this now. */
  allows(role: Role, cause: Cause): boolean {
    return this.#next(role, cause) !== FORBIDDEN;
  }

  /** Moves `role`, and the other one as far as the couplings say. Callers have asked `allows`. */
  move(role: Role, cause: Cause): void {
    this.#set(role, this.#next(role, cause));
    // A server that has spoken before it was asked (a 408) owes this request nothing.
    if (cause === "request" && this.allows("server", "peer-request")) {
      this.#set("server", this.#next("server", "peer-request"));
    }
    // An accepted proposal stays open until the client has said all it had to say.
    if (cause === "response") this.#proposed = false;
    this.#rest();
  }

  /** The request proposes a switch. */
  propose(): void {
    this.#proposed = true;
    this.#rest();
  }

  /** One end has said, or shown, that this cycle is the last. */
  endPersistence(): void {
    this.#persists = false;
    this.#rest();
  }

  /** `role` broke the rules; nothing it says counts any more, and this cycle is the last. */
  fail(role: Role): void {
    this.#set(role, NAMES.indexOf("error"));
    this.#persists = false;
    this.#rest();
  }

  /** Both are done and persistence is on: the next cycle may begin. */
  get cycleIsOver(): boolean {
    return this.#client === DONE && this.#server === DONE;
  }

  /** Begins the next cycle. Callers have asked `cycleIsOver`. */
  startNextCycle(): void {
    this.#client = this.#server = NAMES.indexOf("idle");
  }

  #next(role: Role, cause: Cause): number {
    const state = role === "client" ? this.#client : this.#server;
    return NEXT[role][state * CAUSES.length + NUMBER_OF[cause]]!;
  }

  #set(role: Role, state: number): void {
    if (role === "client") this.#client = state;
    else this.#server = state;
  }

  #rest(): void {
    const flags = (this.#persists ? 1 : 0) + (this.#proposed ? 2 : 0);
    const joint = RESTS[(this.#client * NAMES.length + this.#server) * 4 + flags]!;
    this.#client = Math.floor(joint / NAMES.length);
    this.#server = joint % NAMES.length;
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

function compileMoves(role: Role): Int8Array {
  const next = new Int8Array(NAMES.length * CAUSES.length).fill(FORBIDDEN);
  NAMES.forEach((state, s) => {
    CAUSES.forEach((cause, c) => {
      const to = MOVES[role][state]?.[cause];
      if (to !== undefined) next[s * CAUSES.length + c] = NAMES.indexOf(to);
    });
  });
  return next;
}

function compileCouplings(): Int8Array {
  const rests = new Int8Array(NAMES.length * NAMES.length * 4);
  NAMES.forEach((client, c) => {
    NAMES.forEach((server, s) => {
      for (let flags = 0; flags < 4; flags++) {
        const rest = restOf({ client, server, persists: (flags & 1) !== 0, proposed: (flags & 2) !== 0 });
        const joint = NAMES.indexOf(rest.client) * NAMES.length + NAMES.indexOf(rest.server);
        rests[(c * NAMES.length + s) * 4 + flags] = joint;
      }
    });
  });
  return rests;
}
