import { type Event, HttpConnection, LocalProtocolError, type Role } from "@upgrade/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  body,
  cuts,
  fields,
  method,
  nearlyHttp,
  piecesOf,
  target,
  token,
  trailers,
} from "../src/arbitraries.ts";
import { Transcript } from "../src/transcript.ts";

// The same runs every time; another seed is tried by hand, and what it finds becomes a story.
const runs = (numRuns: number) => ({ seed: 9_112, numRuns });

const role = fc.constantFrom<Role>("client", "server");
const asked = fc.constantFrom("GET", "HEAD", "CONNECT", "upgrade");
const limits = fc.constantFrom(
  ...[{}, { maxHeadBytes: 40 }, { maxTargetBytes: 1 }, { maxHeaders: 1 }, { maxBodyBytes: 4 }],
  ...[{ maxChunkExtensionBytes: 2, maxTrailers: 1 }, { maxTrailerBytes: 6 }],
);

/** A connection that waits for input: a server, or a client that has asked twice. */
function listener(who: Role, what: string, bounds: object): Transcript {
  const transcript = new Transcript(who, bounds, true);
  if (who === "server") return transcript;
  const { connection } = transcript;
  const upgrade = what === "upgrade" ? { Connection: "upgrade", Upgrade: "x" } : {};
  const verb = what === "upgrade" ? "GET" : what;
  const where = verb === "CONNECT" ? "a:1" : "/";
  connection.send({
    type: "request",
    method: verb,
    target: where,
    headers: { Host: "a", ...upgrade },
  });
  connection.send({ type: "end-of-message" });
  return transcript;
}

/** Answers what was asked and goes on, as long as there is something to do. */
function serve(transcript: Transcript): void {
  for (;;) {
    const { connection } = transcript;
    const { client, server } = connection.states;
    if (connection.cycleIsOver) {
      transcript.act((open) => open.startNextCycle());
    } else if (
      server === "send-response" &&
      client !== "send-body" &&
      connection.role === "server"
    ) {
      const status = client === "might-switch-protocol" ? 403 : 200;
      transcript.act((open) => open.send({ type: "response", status, bodyLength: 0 }));
      transcript.act((open) => open.send({ type: "end-of-message" }));
    } else {
      return;
    }
  }
}

describe("whatever comes", () => {
  const input = fc.oneof({ weight: 3, arbitrary: nearlyHttp }, fc.uint8Array({ maxLength: 60 }));

  test("events or an error come of it, however it is cut, and nothing else is thrown", () => {
    const outcome = (transcript: Transcript, pieces: Uint8Array[], ends: boolean) => {
      for (const piece of pieces) {
        transcript.receive(piece);
        serve(transcript);
      }
      if (ends) transcript.receiveEof();
      return transcript.end();
    };
    fc.assert(
      fc.property(role, asked, limits, input, cuts, fc.boolean(), (who, what, bounds, ...rest) => {
        const [bytes, places, ends] = rest;
        const whole = outcome(listener(who, what, bounds), [bytes], ends);
        const pieces = piecesOf(bytes, places);
        expect(outcome(listener(who, what, bounds), pieces, ends)).toEqual(whole);
        const single = piecesOf(bytes, [...bytes.keys()]);
        expect(outcome(listener(who, what, bounds), single, ends)).toEqual(whole);
      }),
      runs(4_000),
    );
  });

  test("L1: what is not HTTP's is the end of the input, whole, also behind an error", () => {
    fc.assert(
      fc.property(role, asked, limits, input, cuts, (who, what, bounds, bytes, places) => {
        const rests = [[bytes], piecesOf(bytes, places)].map((pieces) => {
          const transcript = listener(who, what, bounds);
          for (const piece of pieces) {
            transcript.receive(piece);
            serve(transcript);
          }
          expect(transcript.connection.bufferedBytes).toBeLessThanOrEqual(bytes.length);
          const buffered = transcript.connection.bufferedBytes;
          const rest = transcript.connection.takeReadBuf();
          expect(rest.length).toBe(buffered);
          expect(transcript.connection.bufferedBytes).toBe(0);
          expect(transcript.connection.takeReadBuf().length).toBe(0);
          return rest;
        });
        const [whole, cut] = rests as [Uint8Array, Uint8Array];
        expect([...whole]).toEqual([...bytes.subarray(bytes.length - whole.length)]);
        expect([...cut]).toEqual([...whole]);
      }),
      runs(2_000),
    );
  });
});

interface Heard {
  heads: Extract<Event, { headers: unknown }>[];
  bytes: Buffer;
  trailers: string[];
  wait: string;
}

/** Gives `wire` to a connection in pieces, and hears it out. */
function hear(connection: HttpConnection, wire: Uint8Array, places: readonly number[]): Heard {
  const heads: Heard["heads"] = [];
  const data: Uint8Array[] = [];
  let last: string[] = [];
  let wait = "";
  for (const piece of piecesOf(wire, places)) {
    connection.receiveData(piece);
    for (let next = connection.nextEvent(); ; next = connection.nextEvent()) {
      if (typeof next === "string") {
        wait = next;
        break;
      }
      if (next.type === "data") data.push(next.bytes);
      else if (next.type === "end-of-message") last = next.trailers.toFlat();
      else if (next.type !== "connection-closed") heads.push(next);
    }
  }
  return { heads, bytes: Buffer.concat(data), trailers: last, wait };
}

const framing = fc.constantFrom("length", "chunked");

describe("what is sent is what is heard", () => {
  test("requests", () => {
    fc.assert(
      fc.property(
        method,
        target,
        fields,
        body,
        framing,
        trailers,
        cuts,
        (verb, where, lines, pieces, how, ends, places) => {
          const client = new HttpConnection("client");
          const length = pieces.reduce((sum, { length }) => sum + length, 0);
          const chunked = how === "chunked";
          const headers: [string, string][] = [["Host", "a.test"], ...lines];
          const wire = Buffer.concat([
            client.send({
              type: "request",
              method: verb,
              target: where,
              headers,
              bodyLength: chunked ? "unknown" : length,
            }),
            ...pieces.map((bytes) => client.send({ type: "data", bytes })),
            client.send({ type: "end-of-message", trailers: chunked ? ends : [] }),
          ]);
          const {
            heads,
            bytes,
            trailers: heard,
          } = hear(new HttpConnection("server"), wire, places);
          expect(heads).toMatchObject([{ method: verb, target: where, version: "1.1" }]);
          expect(heads[0]?.headers.toFlat().slice(0, headers.length * 2)).toEqual(headers.flat());
          expect(bytes.equals(Buffer.concat(pieces))).toBe(true);
          expect(heard).toEqual(chunked ? ends.flat() : []);
        },
      ),
      runs(1_500),
    );
  });

  test("responses, to GET and to HEAD", () => {
    fc.assert(
      fc.property(
        fc.constantFrom("GET", "HEAD"),
        fc
          .integer({ min: 200, max: 599 })
          .filter((status) => ![204, 205, 304, 426].includes(status)),
        fields,
        body,
        framing,
        cuts,
        (verb, status, lines, pieces, how, places) => {
          const client = new HttpConnection("client");
          const server = new HttpConnection("server");
          const request = client.send({
            type: "request",
            method: verb,
            target: "/",
            headers: { Host: "a" },
          });
          client.send({ type: "end-of-message" });
          hear(server, request, places);
          const length = pieces.reduce((sum, { length }) => sum + length, 0);
          const said = verb === "HEAD" ? [] : pieces;
          const wire = Buffer.concat([
            server.send({
              type: "response",
              status,
              headers: lines,
              bodyLength: how === "chunked" ? "unknown" : length,
            }),
            ...said.map((bytes) => server.send({ type: "data", bytes })),
            server.send({ type: "end-of-message" }),
          ]);
          const { heads, bytes } = hear(client, wire, places);
          expect(heads).toMatchObject([{ status }]);
          expect(heads[0]?.headers.toFlat().slice(0, lines.length * 2)).toEqual(lines.flat());
          expect(bytes.equals(Buffer.concat(said))).toBe(true);
          expect(client.cycleIsOver && server.cycleIsOver).toBe(true);
        },
      ),
      runs(1_500),
    );
  });

  test("L1: behind a switch, in both directions, every byte is there once and in order", () => {
    fc.assert(
      fc.property(
        fc.array(token, { minLength: 1, maxLength: 3 }),
        body,
        fc.uint8Array({ maxLength: 60 }),
        fc.uint8Array({ maxLength: 60 }),
        cuts,
        (protocols, pieces, early, first, places) => {
          const client = new HttpConnection("client");
          const server = new HttpConnection("server");
          const proposal = Buffer.concat([
            client.send({
              type: "request",
              method: "POST",
              target: "/",
              headers: { Host: "a", Connection: "Upgrade", Upgrade: protocols.join(", ") },
              bodyLength: "unknown",
            }),
            ...pieces.map((bytes) => client.send({ type: "data", bytes })),
            client.send({ type: "end-of-message" }),
            early,
          ]);
          expect(hear(server, proposal, places).wait).toBe("paused");
          const accepted = protocols.at(-1)!.toUpperCase();
          const answer = Buffer.concat([
            server.send({
              type: "response",
              status: 101,
              headers: { Connection: "upgrade", Upgrade: accepted },
            }),
            first,
          ]);
          expect(hear(client, answer, places).wait).toBe("paused");
          expect(client.hasSwitched && server.hasSwitched).toBe(true);
          expect([...server.takeReadBuf()]).toEqual([...early]);
          expect([...client.takeReadBuf()]).toEqual([...first]);
        },
      ),
      runs(1_000),
    );
  });
});

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
