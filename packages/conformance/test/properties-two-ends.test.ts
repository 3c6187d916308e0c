import { HttpConnection, LocalProtocolError } from "@upgrade/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cuts } from "../src/arbitraries.ts";
import { hear } from "../src/hear.ts";

// The same runs every time; another seed is tried by hand, and what it finds becomes a story.
const runs = (numRuns: number) => ({ seed: 9_112, numRuns });

describe("two ends that exchange bytes", () => {
  // What an application may try, in turn and out of turn.
  const deeds = fc.constantFrom(
    ...["ask", "ask-with-body", "ask-chunked", "ask-last", "ask-old", "ask-old-alive", "ask-head"],
    ...["propose", "connect", "expect", "data", "end", "hint", "continue", "answer"],
    ...["answer-chunked", "answer-until-close", "answer-last", "refuse", "accept", "accept-tunnel"],
    ...["server-data", "server-end", "next", "close-client", "close-server"],
  );

  test("agree on both states after every step", () => {
    fc.assert(
      fc.property(fc.array(deeds, { minLength: 5, maxLength: 40 }), cuts, (script, places) => {
        const pair = new Pair(places);
        const { client, server } = pair;
        for (const deed of script) {
          pair.perform(deed);
          expect(standing(server), deed).toBe(standing(client));
        }
      }),
      runs(2_000),
    );
  });

  test("come, in these scripts, to every state there is", () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.array(deeds, { minLength: 5, maxLength: 40 }), (script) => {
        const pair = new Pair([]);
        for (const deed of script) {
          pair.perform(deed);
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

/** Where a connection stands, as either end should see it. */
function standing({ states, persists, proposal }: HttpConnection): string {
  const { client, server } = states;
  return `${client} ${server} ${persists} ${proposal?.kind} ${proposal?.protocols}`;
}

/** Two ends, and what the application keeps open: a chunked body ends when it says so. */
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

  /** One deed, its bytes delivered in pieces and heard; one that is out of turn is nothing. */
  perform(deed: string): void {
    const { client, server } = this;
    if (deed === "next" && client.cycleIsOver && server.cycleIsOver) {
      client.startNextCycle();
      server.startNextCycle();
    }
    // A proposal is left by its answer alone.
    const proposes = client.states.client === "might-switch-protocol";
    if (deed === "close-client" && !proposes) attempt(() => this.#endSide(client, server));
    if (deed === "close-server") attempt(() => this.#endSide(server, client));
    attempt(() => this.#request(deed));
    // What a server says before it is asked is a story of its own.
    if (server.states.server !== "idle") attempt(() => this.#respond(deed));
  }

  #request(deed: string): void {
    const octets = clientSays(deed, this.client);
    if (octets === undefined) return;
    if (deed === "ask-chunked") this.#requestIsOpen = true;
    if (deed !== "data" && deed !== "end") this.#askedHead = deed === "ask-head";
    if (deed === "end") this.#requestIsOpen = false;
    hear(this.server, octets, this.#places);
    // Its end can be seen on the wire before it is said: it is said at once.
    if (!this.#requestIsOpen) attempt(() => this.client.send({ type: "end-of-message" }));
  }

  #respond(deed: string): void {
    const octets = serverSays(deed, this.server);
    if (octets === undefined) return;
    if (deed === "answer-chunked") this.#responseIsOpen = !this.#askedHead;
    if (deed === "answer-until-close") this.#responseIsOpen = !this.#askedHead;
    const ends = deed === "server-end";
    if (ends) this.#responseIsOpen = false;
    hear(this.client, octets, this.#places);
    if (!this.#responseIsOpen) attempt(() => this.server.send({ type: "end-of-message" }));
    // The end of the connection is the end of some bodies.
    if (ends && this.client.states.server === "send-body") this.#endSide(this.server, this.client);
  }

  #endSide(from: HttpConnection, to: HttpConnection): void {
    from.send({ type: "connection-closed" });
    to.receiveEof();
    for (let next = to.nextEvent(); typeof next === "object"; next = to.nextEvent());
  }
}

function attempt(deed: () => void): void {
  try {
    deed();
  } catch (error) {
    if (!(error instanceof LocalProtocolError)) throw error;
  }
}

function clientSays(deed: string, client: HttpConnection): Uint8Array | undefined {
  const ask = (method: string, headers: object = {}, rest: object = {}) =>
    client.send({
      type: "request",
      method,
      target: method === "CONNECT" ? "a:1" : "/",
      headers: { Host: "a", ...headers },
      ...rest,
    });
  switch (deed) {
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

function serverSays(deed: string, server: HttpConnection): Uint8Array | undefined {
  const answer = (status: number, bodyLength?: number | "unknown", headers: object = {}) =>
    server.send({ type: "response", status, bodyLength, headers: { ...headers } });
  switch (deed) {
    case "hint":
      return server.send({ type: "informational-response", status: 103 });
    case "continue":
      return server.send({ type: "informational-response", status: 100 });
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
