import { describe, expect, test } from "vitest";
import type { Role } from "../base/role.ts";
import { COUPLINGS, type Situation } from "./couplings.ts";
import { restOf } from "./joint-state.ts";
import { StateMachine } from "./machine.ts";
import { CAUSES, type Cause, MOVES } from "./moves.ts";
import { STATES, type State } from "./states.ts";

const flags = [false, true];
const situations: Situation[] = STATES.flatMap((client) => STATES.flatMap((server) => flags.flatMap((persists) => flags.map((proposed) => ({ client, server, persists, proposed })))));
const spoken = ({ client, server, persists, proposed }: Situation) => `${client}/${server}${persists ? "" : " last"}${proposed ? " proposed" : ""}`;

const matches = (situation: Situation) => COUPLINGS.filter(({ when }) => (Object.keys(when) as (keyof Situation)[]).every((key) => when[key] === situation[key]));

describe("of all 324 joint situations", () => {
  test("each comes to rest within three steps", () => {
    for (const start of situations) {
      let now = start;
      let steps = 0;
      for (let found = matches(now); found.length > 0; found = matches(now)) {
        now = { ...now, ...found[0]!.becomes };
        expect(++steps, spoken(start)).toBeLessThanOrEqual(3);
      }
      expect(restOf(start)).toEqual(now);
      expect(restOf(now)).toEqual(now);
    }
  });

  test("none leaves error or switched-protocol", () => {
    for (const start of situations) {
      const rest = restOf(start);
      for (const role of ["client", "server"] as const) {
        if (start[role] === "error" || start[role] === "switched-protocol") {
          expect(rest[role], spoken(start)).toBe(start[role]);
        }
      }
    }
  });

  test("the order of the couplings matters only for a proposal and the end of persistence", () => {
    const outcomes = (start: Situation): Set<string> => {
      const found = matches(start);
      if (found.length === 0) return new Set([spoken(start)]);
      return new Set(found.flatMap(({ becomes }) => [...outcomes({ ...start, ...becomes })]));
    };
    // A switch leaves its proposal open, so no connection gets here.
    const unreachable = ({ client, server, proposed }: Situation) => client === "might-switch-protocol" && server === "switched-protocol" && !proposed;
    const ordered = situations.filter((start) => outcomes(start).size > 1 && !unreachable(start));
    for (const start of ordered) {
      expect(start.proposed, spoken(start)).toBe(true);
      expect(start.client, spoken(start)).toBe("done");
      expect(restOf(start).client, spoken(start)).toMatch(/^(might-switch|switched)-protocol$/);
    }
    expect(ordered.length).toBeGreaterThan(0);
  });

  test("no role is moved in the middle of a message", () => {
    for (const start of situations) {
      const rest = restOf(start);
      if (start.client === "send-body") expect(rest.client, spoken(start)).toBe("send-body");
      for (const state of ["send-response", "send-body"]) {
        if (start.server === state) expect(rest.server, spoken(start)).toBe(state);
      }
    }
  });
});

test("every coupling is needed by some situation", () => {
  const used = new Set(situations.flatMap((start) => matches(start).slice(0, 1)));
  expect(COUPLINGS.filter((coupling) => !used.has(coupling))).toEqual([]);
});

describe("of all moves", () => {
  test("none leaves error or switched-protocol", () => {
    for (const role of ["client", "server"] as const) {
      expect(MOVES[role].error).toBeUndefined();
      expect(MOVES[role]["switched-protocol"]).toBeUndefined();
    }
  });

  test("only those in the table are allowed", () => {
    for (const role of ["client", "server"] as const) {
      for (const state of STATES) {
        for (const cause of CAUSES) {
          const machine = machineIn(role, state);
          if (machine === undefined) continue;
          const to = MOVES[role][state]?.[cause];
          expect(machine.now.after(role, cause) !== undefined, `${role} ${state} ${cause}`).toBe(to !== undefined);
        }
      }
    }
  });

  test("every state of both roles can be reached", () => {
    const clients = STATES.filter((state) => state !== "send-response");
    const servers = STATES.filter((state) => state !== "might-switch-protocol");
    expect(clients.filter((state) => machineIn("client", state) === undefined)).toEqual([]);
    expect(servers.filter((state) => machineIn("server", state) === undefined)).toEqual([]);
  });
});

// A machine with `role` in `state`, reached by the shortest sequence.
function machineIn(role: Role, state: State): StateMachine | undefined {
  type Step = (machine: StateMachine) => void;
  const move =
    (role: Role, cause: Cause): Step =>
    (machine) =>
      machine.move(role, cause);
  const requested = [move("client", "request"), move("client", "end-of-message")];
  const propose: Step = (machine) => machine.propose();
  const last: Step = (machine) => machine.endPersistence();
  const answered = [move("server", "response"), move("server", "end-of-message")];
  const paths: Partial<Record<State, Step[]>> = {
    "idle": [],
    "send-response": role === "server" ? [move("client", "request")] : undefined,
    "send-body": role === "client" ? [move("client", "request")] : [move("client", "request"), move("server", "response")],
    "done": role === "client" ? requested : [move("client", "request"), ...answered],
    "must-close": role === "client" ? [...requested, last] : [...requested, ...answered, last],
    "closed": [move(role, "connection-closed")],
    "might-switch-protocol": role === "client" ? [...requested, propose] : undefined,
    "switched-protocol": [...requested, propose, move("server", "switch-accepted")],
    "error": [(machine) => machine.fail(role)],
  } as Partial<Record<State, Step[]>>;
  const path = paths[state];
  if (path === undefined) return undefined;
  const machine = new StateMachine();
  for (const step of path) step(machine);
  return machine.now[role] === state ? machine : undefined;
}

describe("the machine agrees with the tables", () => {
  test("on every walk of six causes, and never leaves the nine states", () => {
    const walk = (path: readonly string[], depth: number): void => {
      const machine = new StateMachine();
      for (const step of path) {
        const [role, cause] = step.split(":") as [Role, Cause];
        if (step === "propose") machine.propose();
        else if (step === "last") machine.endPersistence();
        else machine.move(role, cause);
      }
      const now = {
        client: machine.now.client,
        server: machine.now.server,
        persists: machine.now.persists,
        proposed: machine.now.proposed,
      };
      expect(STATES, path.join(" ")).toContain(now.client);
      expect(STATES, path.join(" ")).toContain(now.server);
      expect(restOf(now), path.join(" ")).toEqual(now);
      if (depth === 0) return;
      const next = (["client", "server"] as const).flatMap((role) => CAUSES.filter((cause) => cause !== "peer-request" && machine.now.after(role, cause) !== undefined).map((cause) => `${role}:${cause}`));
      for (const step of [...next, "propose", "last"]) walk([...path, step], depth - 1);
    };
    walk([], 5);
  });
});

describe("one cycle after another", () => {
  const requested = () => {
    const machine = new StateMachine();
    machine.move("client", "request");
    return machine;
  };
  const both = (machine: StateMachine) => [machine.now.client, machine.now.server];

  test("two done roles start over", () => {
    const machine = requested();
    machine.move("client", "end-of-message");
    machine.move("server", "response");
    expect(machine.now.cycleIsOver).toBe(false);
    machine.move("server", "end-of-message");
    expect(machine.now.cycleIsOver).toBe(true);
    machine.startNextCycle();
    expect(both(machine)).toEqual(["idle", "idle"]);
  });

  test("not when persistence has ended: both must close", () => {
    const machine = requested();
    machine.endPersistence();
    machine.move("client", "end-of-message");
    machine.move("server", "response");
    machine.move("server", "end-of-message");
    expect(both(machine)).toEqual(["must-close", "must-close"]);
    expect(machine.now.cycleIsOver).toBe(false);
  });

  test("an open proposal comes before the end of persistence", () => {
    const machine = requested();
    machine.propose();
    machine.endPersistence();
    machine.move("client", "end-of-message");
    expect(both(machine)).toEqual(["might-switch-protocol", "send-response"]);
    machine.move("server", "response");
    expect(both(machine)).toEqual(["must-close", "send-body"]);
    expect(machine.now.proposed).toBe(false);
  });

  test("L5: an accepted switch completes when the client's request is complete", () => {
    const machine = requested();
    machine.propose();
    machine.move("server", "switch-accepted");
    expect(both(machine)).toEqual(["send-body", "switched-protocol"]);
    machine.move("client", "data");
    machine.move("client", "end-of-message");
    expect(both(machine)).toEqual(["switched-protocol", "switched-protocol"]);
  });

  test("an interim response refuses nothing", () => {
    const machine = requested();
    machine.propose();
    machine.move("client", "end-of-message");
    machine.move("server", "interim-response");
    expect(machine.now.proposed).toBe(true);
    expect(machine.now.client).toBe("might-switch-protocol");
  });

  test("an error of one role ends persistence", () => {
    const machine = requested();
    machine.fail("client");
    expect(machine.now.persists).toBe(false);
    machine.move("server", "response");
    machine.move("server", "end-of-message");
    expect(both(machine)).toEqual(["error", "must-close"]);
  });

  test("a server that answers before the request does not answer it", () => {
    const machine = new StateMachine();
    machine.move("server", "response");
    machine.move("server", "end-of-message");
    machine.move("client", "request");
    expect(both(machine)).toEqual(["send-body", "done"]);
  });
});
