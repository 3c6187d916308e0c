import { HttpConnection, LocalProtocolError } from "@upgrade/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cuts } from "../../src/generated/arbitraries.ts";
import { receiveAll } from "../../src/generated/receive-all.ts";

// The seed is fixed; try others by hand, and turn findings into stories.
const runs = (numRuns: number) => ({ seed: 9_112, numRuns });

describe("two ends that exchange bytes", () => {
  // What an application may try, in turn and out of turn.
  const actions = fc.constantFrom(
    ...["ask", "ask-with-body", "ask-chunked", "ask-last", "ask-old", "ask-old-alive", "ask-head"],
    ...["propose", "connect", "expect", "data", "end", "hint", "continue", "answer"],
    ...["answer-chunked", "answer-until-close", "answer-last", "refuse", "accept", "accept-tunnel"],
    ...["server-data", "server-end", "next", "close-client", "close-server"],
  );

  test("agree on both states after every step", () => {
    fc.assert(
      fc.property(fc.array(actions, { minLength: 5, maxLength: 40 }), cuts, (script, places) => {
        const pair = new Pair(places);
        const { client, server } = pair;
        for (const action of script) {
          pair.perform(action);
          expect(statesOf(server), action).toBe(statesOf(client));
        }
      }),
      runs(2_000),
    );
  });

  test("reach every state in these scripts", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(actions, { minLength: 5, maxLength: 40 }), (script) => {
        const pair = new Pair([]);
        for (const action of script) {
          pair.perform(action);
          const { client, server } = pair.server.states;
          seen.add(`client ${client}`).add(`server ${server}`);
        }
      }),
      runs(500),
    );
    const common = ["idle", "send-body", "done", "must-close", "closed", "switched-protocol"];
    const states = common.flatMap((state) => [`client ${state}`, `server ${state}`]);
    states.push("client might-switch-protocol", "server send-response");
    expect([...seen].sort()).toEqual(states.sort());
  });
});

/** The state of a connection, as either end should see it. */
function statesOf({ states, persists, proposal }: HttpConnection): string {
  const { client, server } = states;
  return `${client} ${server} ${persists} ${proposal?.kind} ${proposal?.protocols}`;
}

/** Two ends, and what the application keeps open: a chunked body ends on request. */
class Pair {
  readonly client = new HttpConnection("client");
  readonly server = new HttpConnection("server");
  readonly #places: readonly number[];
  #askedHead = false;
  #requestIsOpen = false;
  #responseIsOpen = false;

  constructor(places: readonly number[]) {
    this.#places = places;
  }

  /** Does one action and delivers its bytes in pieces; one out of turn does nothing. */
  perform(action: string): void {
    const { client, server } = this;
    if (action === "next" && client.cycleIsOver && server.cycleIsOver) {
      client.startNextCycle();
      server.startNextCycle();
    }
    // Only its answer ends a proposal.
    const proposes = client.states.client === "might-switch-protocol";
    if (action === "close-client" && !proposes) attempt(() => this.#endSide(client, server));
    if (action === "close-server") attempt(() => this.#endSide(server, client));
    attempt(() => this.#request(action));
    // A server that responds before a request has its own story.
    if (server.states.server !== "idle") attempt(() => this.#respond(action));
  }

  #request(action: string): void {
    const octets = clientSays(action, this.client);
    if (octets === undefined) return;
    if (action === "ask-chunked") this.#requestIsOpen = true;
    if (action !== "data" && action !== "end") this.#askedHead = action === "ask-head";
    if (action === "end") this.#requestIsOpen = false;
    receiveAll(this.server, octets, this.#places);
    // The end is visible on the wire before it is reported, so report it at once.
    if (!this.#requestIsOpen) attempt(() => this.client.send({ type: "end-of-message" }));
  }

  #respond(action: string): void {
    const octets = serverSays(action, this.server);
    if (octets === undefined) return;
    if (action === "answer-chunked") this.#responseIsOpen = !this.#askedHead;
    if (action === "answer-until-close") this.#responseIsOpen = !this.#askedHead;
    const ends = action === "server-end";
    if (ends) this.#responseIsOpen = false;
    receiveAll(this.client, octets, this.#places);
    if (!this.#responseIsOpen) attempt(() => this.server.send({ type: "end-of-message" }));
    // The end of the connection ends some bodies.
    if (ends && this.client.states.server === "send-body") this.#endSide(this.server, this.client);
  }

  #endSide(from: HttpConnection, to: HttpConnection): void {
    from.send({ type: "connection-closed" });
    to.receiveEof();
    for (let next = to.nextEvent(); typeof next === "object"; next = to.nextEvent());
  }
}

function attempt(action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!(error instanceof LocalProtocolError)) throw error;
  }
}

function clientSays(action: string, client: HttpConnection): Uint8Array | undefined {
  const ask = (method: string, headers: object = {}, rest: object = {}) =>
    client.send({
      type: "request",
      method,
      target: method === "CONNECT" ? "a:1" : "/",
      headers: { Host: "a", ...headers },
      ...rest,
    });
  switch (action) {
    case "ask":
      return ask("GET");
    case "ask-head":
      return ask("HEAD");
    case "ask-with-body":
      return ask("POST", {}, { bodyLength: 4 });
    case "ask-chunked":
      return ask("POST", {}, { bodyLength: "unknown" });
    case "ask-last":
      return ask("GET", { Connection: "close" });
    case "ask-old":
      return ask("GET", {}, { version: "1.0" });
    case "ask-old-alive":
      return ask("GET", { Connection: "keep-alive" }, { version: "1.0" });
    case "propose":
      return ask("GET", { Connection: "upgrade", Upgrade: "x, y/1" });
    case "connect":
      return ask("CONNECT");
    case "expect":
      return ask("POST", { Expect: "100-continue" }, { bodyLength: 4 });
    case "data":
      return client.send({ type: "data", bytes: "ab" });
    case "end":
      return client.send({ type: "end-of-message" });
    default:
      return undefined;
  }
}

function serverSays(action: string, server: HttpConnection): Uint8Array | undefined {
  const answer = (status: number, bodyLength?: number | "unknown", headers: object = {}) =>
    server.send({ type: "response", status, bodyLength, headers: { ...headers } });
  switch (action) {
    case "hint":
      return server.send({ type: "interim-response", status: 103 });
    case "continue":
      return server.send({ type: "interim-response", status: 100 });
    case "answer":
      return answer(200, 2);
    case "answer-chunked":
      return answer(200, "unknown");
    case "answer-until-close":
      return answer(200);
    case "answer-last":
      return answer(200, 2, { Connection: "close" });
    case "refuse":
      return answer(403, 0);
    case "accept":
      return answer(101, undefined, { Connection: "upgrade", Upgrade: "Y/1" });
    case "accept-tunnel":
      return answer(204);
    case "server-data":
      return server.send({ type: "data", bytes: "ab" });
    case "server-end":
      return server.send({ type: "end-of-message" });
    default:
      return undefined;
  }
}
