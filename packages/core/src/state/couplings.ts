// bytes → parser → events → [couplings] → events → serializer → bytes: what one role's state does to the other

import type { State } from "./states.ts";

/** The states of both roles, and the two facts of the cycle that move them. */
export interface Situation {
  readonly client: State;
  readonly server: State;
  /** Both ends let the connection persist. */
  readonly persists: boolean;
  /** A proposal is open. */
  readonly proposed: boolean;
}

export interface Coupling {
  readonly when: Partial<Situation>;
  readonly becomes: { readonly client: State } | { readonly server: State };
}

/**
 * Moves caused by the states of both roles. The first that matches is applied, until none matches.
 * The order matters in one place: a proposal comes before the end of persistence, so that a request
 * with the option close can still switch. The docs page takes each reason from the line above.
 */
export const COUPLINGS: readonly Coupling[] = [
  // a proposal is open
  { when: { client: "done", proposed: true }, becomes: { client: "might-switch-protocol" } },
  // the proposal was accepted
  { when: { client: "might-switch-protocol", server: "switched-protocol" }, becomes: { client: "switched-protocol" } },
  // the proposal was refused
  { when: { client: "might-switch-protocol", proposed: false }, becomes: { client: "done" } },
  // persistence is off
  { when: { client: "done", persists: false }, becomes: { client: "must-close" } },
  { when: { server: "done", persists: false }, becomes: { server: "must-close" } },
  // the client has ended its side
  { when: { client: "closed", server: "done" }, becomes: { server: "must-close" } },
  { when: { client: "closed", server: "idle" }, becomes: { server: "must-close" } },
  // the client broke the rules
  { when: { client: "error", server: "done" }, becomes: { server: "must-close" } },
  // the server has ended its side
  { when: { server: "closed", client: "done" }, becomes: { client: "must-close" } },
  { when: { server: "closed", client: "idle" }, becomes: { client: "must-close" } },
  // the server broke the rules
  { when: { server: "error", client: "done" }, becomes: { client: "must-close" } },
];
