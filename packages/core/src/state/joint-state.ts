// bytes → parser → events → [joint states] → events → serializer → bytes: where the two tables lead

import type { Role } from "../base/role.ts";
import { COUPLINGS, type Situation } from "./couplings.ts";
import { type Cause, MOVES } from "./moves.ts";
import { STATES } from "./states.ts";

/** Changes of a situation that are not events. */
const CHANGES = {
  "proposal": () => ({ proposed: true }),
  "last-cycle": () => ({ persists: false }),
  "fault": (role: Role): Partial<Situation> => ({ [role]: "error", persists: false }),
  "next-cycle": () => ({ client: "idle", server: "idle" }),
} as const satisfies { readonly [name: string]: (role: Role) => Partial<Situation> };

/** What is left to do: on `ended` our role has nothing left to send or to wait for. */
export type Stage = "open" | "cycle-over" | "switched" | "ended";

/** What leads from one joint state to another: an event of a role, or another change. */
export type Step = Cause | keyof typeof CHANGES;

/** Where each step leads; null if it is not allowed. */
type Links = Map<Step, JointState | null>;

/**
 * The states of both roles together. A joint state never changes, and equal ones are the same
 * object: each link between two of them is searched in the tables once, when it is first needed.
 */
export class JointState implements Situation {
  readonly client: Situation["client"];
  readonly server: Situation["server"];
  readonly persists: boolean;
  readonly proposed: boolean;
  /** Both roles are done and the connection persists: the next cycle may begin. */
  readonly cycleIsOver: boolean;
  /** The client, and so the server, has switched to another protocol. */
  readonly hasSwitched: boolean;
  /** What is left to do, for each role as ours. */
  readonly stage: { readonly [R in Role]: Stage };
  readonly #byClient: Links = new Map();
  readonly #byServer: Links = new Map();

  constructor({ client, server, persists, proposed }: Situation) {
    this.client = client;
    this.server = server;
    this.persists = persists;
    this.proposed = proposed;
    this.cycleIsOver = client === "done" && server === "done";
    this.hasSwitched = client === "switched-protocol";
    this.stage = { client: stageOf(this, "client"), server: stageOf(this, "server") };
  }

  /** The joint state after `step` of `role` and all couplings; undefined if it is not allowed. */
  after(role: Role, step: Step): JointState | undefined {
    const links = role === "client" ? this.#byClient : this.#byServer;
    let next = links.get(step);
    if (next === undefined) {
      const situation = isChange(step) ? { ...this, ...CHANGES[step](role) } : moved(this, role, step);
      next = situation === undefined ? null : jointStateOf(restOf(situation));
      links.set(step, next);
    }
    return next ?? undefined;
  }
}

function stageOf({ client, server, cycleIsOver, hasSwitched }: JointState, role: Role): Stage {
  if (hasSwitched) return "switched";
  if (cycleIsOver) return "cycle-over";
  // A server is done after its last response, whatever the client still sends; a client also waits
  // for the response.
  if (role === "server") return server === "must-close" ? "ended" : "open";
  const isAnswered = server === "must-close" || server === "closed";
  return client === "must-close" && isAnswered ? "ended" : "open";
}

function isChange(step: Step): step is keyof typeof CHANGES {
  return Object.hasOwn(CHANGES, step);
}

function moved(from: Situation, role: Role, cause: Cause): Situation | undefined {
  const to = MOVES[role][from[role]]?.[cause];
  if (to === undefined) return undefined;
  const next = { ...from, [role]: to };
  // A server that answered before the request (a 408) does not answer it.
  if (cause === "request") return moved(next, "server", "peer-request") ?? next;
  // An accepted proposal stays open until the client's request is complete.
  return cause === "response" ? { ...next, proposed: false } : next;
}

/** Where a situation comes to rest. */
export function restOf(situation: Situation): Situation {
  let now = situation;
  for (;;) {
    const coupling = COUPLINGS.find(({ when }) => (Object.keys(when) as (keyof Situation)[]).every((key) => when[key] === now[key]));
    if (coupling === undefined) return now;
    now = { ...now, ...coupling.becomes };
  }
}

const FLAGS = [
  { persists: true, proposed: false },
  { persists: true, proposed: true },
  { persists: false, proposed: false },
  { persists: false, proposed: true },
] as const;

// In the order of STATES, for the client, then for the server, then of FLAGS.
const JOINT_STATES = STATES.flatMap((client) => STATES.flatMap((server) => FLAGS.map((flags) => new JointState({ client, server, ...flags }))));

function jointStateOf({ client, server, persists, proposed }: Situation): JointState {
  const pair = STATES.indexOf(client) * STATES.length + STATES.indexOf(server);
  return JOINT_STATES[pair * FLAGS.length + (persists ? 0 : 2) + (proposed ? 1 : 0)]!;
}

/** Both roles are idle, and the connection persists. */
export const START: JointState = JOINT_STATES[0]!;
