import {
  type EventToSend,
  type HeadersInit,
  HttpConnection,
  LocalProtocolError,
  RemoteProtocolError,
  type Role,
} from "@upgrade/core";
import { BOUNDS } from "./corpus.ts";
import type { Fault } from "./judge.ts";
import { piecesOf } from "./judge.ts";
import { REFUSED_BY_CHOICE } from "./known.ts";
import { isOurs } from "./observe.ts";
import { type Ask, consult, type Situation } from "./oracle.ts";
import type { Random } from "./random.ts";

/** What the application of one end tries. */
export interface Action {
  readonly role: Role;
  readonly event: EventToSend | { readonly type: "next-cycle" };
  /** Where its bytes are cut, in thousandths. */
  readonly cuts: readonly number[];
}

const METHODS = [
  "GET",
  "GET",
  "GET",
  "HEAD",
  "POST",
  "POST",
  "CONNECT",
  "OPTIONS",
  "PUT",
  "BREW",
  "ge t",
  "",
];
const TARGETS = [
  "/",
  "/",
  "/a?b=%41",
  "*",
  "a:1",
  "a:1",
  "http://b/x",
  "/ x",
  "/\r\nA: b",
  "//",
  "http:///",
  "/#f",
  "/\xff",
];
const STATUSES = [
  100, 101, 101, 103, 200, 200, 200, 204, 205, 206, 304, 403, 404, 426, 500, 999, 1000, 99, 200.5,
];
const FIELDS: readonly (readonly [string, string])[] = [
  ...(["Host", "Connection", "A", "TE"] as const).map((name) => [name, ""] as const),
  ...["close", "keep-alive", "upgrade", "Upgrade, close", "TE", "x,,y"].map(
    (value) => ["connection", value] as const,
  ),
  ...["0", "2", "4", "4", "+4", "4, 4", "1e1", "-0", "9007199254740992"].map(
    (value) => ["Content-Length", value] as const,
  ),
  ...["chunked", "Chunked", "gzip", "gzip, chunked", "chunked, chunked"].map(
    (value) => ["Transfer-Encoding", value] as const,
  ),
  ...["websocket", "x, y/1", "y/1", "h2c", "a/b/c", ","].map(
    (value) => ["Upgrade", value] as const,
  ),
  ...["100-continue", "100-Continue", "200-ok"].map((value) => ["Expect", value] as const),
  ...["a.test", "b:80", "a b", "[::1]", "a:99999"].map((value) => ["Host", value] as const),
  ...["b", "b\r\nC: d", "b\0", " b ", "\xe9", "\u0100", "a\tb", "\x7f"].map(
    (value) => ["X-A", value] as const,
  ),
  ...["A b", "", "A:", "A\r\n", "\xe9"].map((name) => [name, "b"] as const),
];
const TRAILERS: readonly (readonly [string, string])[] = [
  ["X-T", "1"],
  ["x-t", ""],
  ["Content-Length", "4"],
  ["Host", "a"],
  ["X", "a\nb"],
  ["Digest", "x=y"],
];

/** A random action, mostly an allowed one. */
export function randomAction(random: Random): Action {
  const cuts = random.oneIn(3)
    ? [random.below(1_000), random.below(1_000)].sort((a, b) => a - b)
    : [];
  const role = random.oneIn(2) ? "client" : "server";
  return { role, event: eventFrom(role, random), cuts };
}

function eventFrom(role: Role, random: Random): Action["event"] {
  switch (random.below(10)) {
    case 0:
      return { type: "next-cycle" };
    case 1:
      return random.oneIn(4) ? { type: "connection-closed" } : { type: "next-cycle" };
    case 2:
    case 3:
      return {
        type: "data",
        bytes: random.pick(["", "a", "ab", "abcd", "0\r\n\r\n", "\xff".repeat(random.below(40))]),
      };
    case 4:
      return {
        type: "end-of-message",
        trailers: random.oneIn(4) ? listFrom(TRAILERS, random) : [],
      };
    default:
      return role === "client" ? requestFrom(random) : responseFrom(random);
  }
}

function listFrom(
  fields: readonly (readonly [string, string])[],
  random: Random,
): [string, string][] {
  return Array.from(
    { length: random.below(3) },
    () => [...random.pick(fields)] as [string, string],
  );
}

function headersFrom(random: Random, usual: readonly (readonly [string, string])[]): HeadersInit {
  const chosen = random.oneIn(3) ? listFrom(FIELDS, random) : [];
  const base = random.oneIn(24) ? [] : usual;
  return [...base, ...chosen].map(([name, value]) => [name, value] as [string, string]);
}

const PROPOSAL = [
  ["Connection", "Upgrade"],
  ["Upgrade", "x, websocket"],
] as const;

function requestFrom(random: Random): EventToSend {
  const usual: (readonly [string, string])[] = [["Host", "a.test"]];
  if (random.oneIn(5)) usual.push(...PROPOSAL);
  if (random.oneIn(8)) usual.push(["Expect", "100-continue"]);
  if (random.oneIn(10)) usual.push(["Connection", "close"]);
  const tunnel = random.oneIn(8);
  return {
    type: "request",
    method: tunnel ? "CONNECT" : random.pick(METHODS),
    target: tunnel ? "a:1" : random.pick(random.oneIn(2) ? ["/"] : TARGETS),
    version: random.oneIn(8) ? "1.0" : "1.1",
    headers: headersFrom(random, usual),
    bodyLength: random.pick([undefined, undefined, 0, 4, 4, "unknown", "unknown"]),
  };
}

function responseFrom(random: Random): EventToSend {
  const status = random.pick(random.oneIn(2) ? [200] : STATUSES);
  const usual: (readonly [string, string])[] = [];
  if (status === 101) usual.push(["Connection", "upgrade"], ["Upgrade", "WebSocket"]);
  if (random.oneIn(10)) usual.push(["Connection", "close"]);
  return {
    type: status < 200 && !random.oneIn(8) && status !== 101 ? "interim-response" : "response",
    status,
    reason: random.pick([undefined, undefined, "", "Well", "a\r\nb", "\xe9"]),
    headers: headersFrom(random, usual),
    bodyLength: random.pick([undefined, 0, 4, 4, "unknown", "unknown"]),
  };
}

/** Two of our ends talk by this script. Returns the finding, if any. */
export function converse(script: readonly Action[]): Fault | undefined {
  const pair = new Pair();
  try {
    for (const action of script) {
      const says = pair.perform(action);
      if (says !== undefined)
        return { kind: "conversation", says: `${says}\nat ${JSON.stringify(action)}` };
    }
    return pair.strict();
  } catch (error) {
    if (error instanceof RemoteProtocolError && REFUSED_BY_CHOICE.has(error.code)) return undefined;
    const says = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { kind: isOurs(error) ? "refuses our own" : "throws", says };
  }
}

class Pair {
  readonly #ends = { client: new HttpConnection("client"), server: new HttpConnection("server") };
  readonly #wire = { client: "", server: "" };
  readonly #asks: Ask[] = [];

  perform({ role, event, cuts }: Action): string | undefined {
    const { client, server } = this.#ends;
    const end = this.#ends[role];
    if (event.type === "next-cycle") {
      if (client.cycleIsOver !== server.cycleIsOver) return this.#standings();
      if (!client.cycleIsOver) return undefined;
      client.startNextCycle();
      server.startNextCycle();
      return this.#drainBoth();
    }
    // A response before the request answers nothing.
    if (role === "server" && server.states.server === "idle" && event.type === "response")
      return undefined;
    const before = statesOf(end);
    const octets = say(end, event);
    if (octets === undefined)
      return statesOf(end) === before ? undefined : `a refused action moved ${before}`;
    if (event.type === "request") this.#asks.push(askOf(end, event.method, event.headers));
    this.#wire[role] += Buffer.from(octets).toString("latin1");
    const places = cuts.map((part) => Math.floor((part * octets.length) / 1_000));
    const peer = this.#ends[role === "client" ? "server" : "client"];
    for (const piece of piecesOf(octets, places)) {
      peer.receiveData(piece);
      drain(peer);
    }
    if (event.type === "connection-closed") peer.receiveEof();
    return this.#drainBoth() ?? this.#settle(role);
  }

  // Some ends are visible on the wire before they are reported, and some are reported by closing.
  #settle(role: Role): string | undefined {
    const end = this.#ends[role];
    const peer = this.#ends[role === "client" ? "server" : "client"];
    const announced = end.states[role];
    const observed = peer.states[role];
    if (announced === "send-body" && observed !== "send-body") end.send({ type: "end-of-message" });
    if (announced !== "send-body" && observed === "send-body") {
      end.send({ type: "connection-closed" });
      peer.receiveEof();
    }
    return this.#drainBoth() ?? this.#standings();
  }

  #drainBoth(): undefined {
    drain(this.#ends.client);
    drain(this.#ends.server);
  }

  #standings(): string | undefined {
    const [ours, theirs] = [statesOf(this.#ends.client), statesOf(this.#ends.server)];
    return ours === theirs ? undefined : `client sees ${ours}, server sees ${theirs}`;
  }

  // L10: the strictest reader accepts what we send.
  strict(): Fault | undefined {
    for (const role of ["client", "server"] as const) {
      const situation: Situation = {
        role: role === "client" ? "server" : "client",
        asks: this.#asks,
        accepts: false,
        bounds: BOUNDS[0]!,
        ended: false,
      };
      const { stop, why } = consult(this.#wire[role], situation);
      if (stop !== "refused") continue;
      return {
        kind: "strict out",
        says: `the oracle refuses what the ${role} sent: ${why}\n${JSON.stringify(this.#wire[role])}`,
      };
    }
    return undefined;
  }
}

function askOf(end: HttpConnection, method: string, headers: HeadersInit | undefined): Ask {
  const withheld = false;
  const fields = headers as readonly (readonly [string, string])[];
  const last = fields.some(([name, value]) => /^connection$/i.test(name) && /close/i.test(value));
  return { method, offers: end.proposal?.protocols ?? [], last, withheld };
}

// The bytes, or nothing if it may not be sent.
function say(end: HttpConnection, event: EventToSend): Uint8Array | undefined {
  try {
    return end.send(event);
  } catch (error) {
    if (error instanceof LocalProtocolError) return undefined;
    throw error;
  }
}

function drain(end: HttpConnection): void {
  for (let next = end.nextEvent(); typeof next === "object"; next = end.nextEvent());
}

function statesOf({ states, persists, proposal }: HttpConnection): string {
  const { client, server } = states;
  return `client=${client} server=${server} persists=${persists} proposes=${proposal?.kind} ${proposal?.protocols}`;
}
