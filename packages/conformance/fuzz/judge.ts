import { KNOWN_DIFFERENCES } from "./known.ts";
import { isOurs, type Observed, observe } from "./observe.ts";
import { consult, type Message, type Situation, type Verdict } from "./oracle.ts";
import type { Random } from "./random.ts";

/** What went wrong: a stable word for its kind, and the details. */
export interface Fault {
  readonly kind: string;
  readonly says: string;
}

export interface Judgement {
  readonly fault: Fault | undefined;
  /** A summary of what the input caused: a new one makes the input worth keeping. */
  readonly trace: string;
}

// Bounded work: this much time per 64 KiB.
const MS_PER_SLICE = 50;
const SLICE_BYTES = 65_536;
// Longer inputs are not played octet by octet: that takes quadratic time, without new places to cut.
const LONGEST_DRIP = 2_000;

// Completions of an incomplete head or body. If one of these is accepted, the input before it was
// valid.
const COMPLETIONS = [
  ...[
    "\n",
    "\r\n",
    "\r\n\r\n",
    "\n\r\n",
    ": b\r\n\r\n",
    "b\r\n\r\n",
    "a\r\n\r\n",
    "0\r\n\r\n",
    "\r\n0\r\n\r\n",
  ],
  ...[
    " / HTTP/1.1\r\nHost: a\r\n\r\n",
    "/ HTTP/1.1\r\nHost: a\r\n\r\n",
    " HTTP/1.1\r\nHost: a\r\n\r\n",
  ],
  ...[
    "1\r\nHost: a\r\n\r\n",
    "\r\nHost: a\r\n\r\n",
    "\nHost: a\r\n\r\n",
    " 200\r\n\r\n",
    "00\r\n\r\n",
    "OK\r\n\r\n",
  ],
  ...[
    '"\r\n\r\n',
    '""\r\n\r\n',
    "=b\r\n0\r\n\r\n",
    "a\r\n0\r\n\r\n",
    "\r\n\r\n0\r\n\r\n",
    "T / HTTP/1.1\r\nHost: a\r\n\r\n",
  ],
  ...[
    "a:1 HTTP/1.1\r\nHost: a\r\n\r\n",
    ":1 HTTP/1.1\r\nHost: a\r\n\r\n",
    "//a HTTP/1.1\r\nHost: a\r\n\r\n",
    "41 HTTP/1.1\r\nHost: a\r\n\r\n",
  ],
  ...[
    "::1]\r\n\r\n",
    "1]\r\n\r\n",
    "P/1.1\r\nHost: a\r\n\r\n",
    "P/1.1 200 OK\r\n\r\n",
    "/1.1 200 OK\r\n\r\n",
  ],
];

/** Plays `text` in every way that must have the same result, and asks the oracle. */
export function judge(text: string, situation: Situation, random: Random): Judgement {
  const input = Buffer.from(text, "latin1");
  try {
    const observed = unlessSlow(input.length, () => observe(situation, [input], input));
    if (typeof observed === "string") return { fault: { kind: "slow", says: observed }, trace: "" };
    const fault =
      accounted(observed) ??
      cutFault(situation, input, observed, random) ??
      compare(observed, text, situation);
    return { fault, trace: traceOf(observed) };
  } catch (error) {
    const kind = isOurs(error) ? "refuses our own" : "throws";
    const says = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { fault: { kind, says }, trace: "" };
  }
}

/** The result; or, if it took too long for so many octets, how long. */
export function unlessSlow<Result>(octets: number, run: () => Result): Result | string {
  const allowed = MS_PER_SLICE * Math.max(1, octets / SLICE_BYTES);
  let fastest = Infinity;
  // The machine may have been busy, but not three times in a row.
  for (let attempt = 0; attempt < 3; attempt++) {
    const started = performance.now();
    const result = run();
    const took = performance.now() - started;
    if (took <= allowed) return result;
    fastest = Math.min(fastest, took);
  }
  return `${octets} octets took ${fastest.toFixed(0)} ms`;
}

// L1: each octet belongs to HTTP or is in the read buffer, and an error lies within the input.
function accounted(observed: Observed): Fault | undefined {
  if (observed.broken !== "") return { kind: "law", says: observed.broken };
  if (!observed.restIsTail)
    return { kind: "account", says: "the read buffer is not the end of the input" };
  if (observed.stop !== "refused") return undefined;
  // Before a fault in a body everything was HTTP; a head and a trailer section are one piece.
  const counted = observed.phase === "body" && /CHUNK|BODY_TOO/.test(observed.code);
  if (counted && observed.offset !== observed.at)
    return { kind: "account", says: "octets lost at an error" };
  return undefined;
}

function cutFault(
  situation: Situation,
  input: Buffer,
  whole: Observed,
  random: Random,
): Fault | undefined {
  const expected = JSON.stringify(whole);
  const drips = input.length <= LONGEST_DRIP && random.oneIn(16);
  const places = drips ? [...input.keys()] : somePlaces(input.length, random);
  const came = JSON.stringify(observe(situation, piecesOf(input, places), input));
  if (came === expected) return undefined;
  return {
    kind: "cut",
    says: `whole:  ${expected}\ncut at ${drips ? "every octet" : places}: ${came}`,
  };
}

function somePlaces(length: number, random: Random): number[] {
  const count = 1 + random.below(5);
  return Array.from({ length: count }, () => random.below(length + 1)).sort((a, b) => a - b);
}

/** The pieces of `input` between `places`, each in its own memory. */
export function piecesOf(input: Uint8Array, places: readonly number[]): Uint8Array[] {
  return [...places, input.length].map((to, i) =>
    Uint8Array.prototype.slice.call(input, places[i - 1] ?? 0, to),
  );
}

/** An unintended difference between HttpConnection and the oracle. */
export function compare(observed: Observed, text: string, situation: Situation): Fault | undefined {
  const verdict = consult(text, situation);
  if (KNOWN_DIFFERENCES.some(({ covers }) => covers(observed, text, situation))) return undefined;
  const says = () => `ours:   ${describe(observed)}\noracle: ${describe(verdict)}`;
  if (!sameMessages(observed.messages, verdict.messages)) return { kind: "content", says: says() };
  if (observed.stop === verdict.stop) {
    // The oracle knows where a refused chunk begins, but not how far it was valid.
    const agreed =
      observed.stop === "refused" ? observed.at >= verdict.at : observed.at === verdict.at;
    return agreed ? undefined : { kind: "place", says: says() };
  }
  const unfinished = verdict.stop === "more" || verdict.stop === "incomplete";
  if (observed.stop !== "refused" || !unfinished)
    return { kind: `${observed.stop} not ${verdict.stop}`, says: says() };
  // HttpConnection may refuse early what could not have become valid.
  const completion = COMPLETIONS.find((rest) => becomesValid(verdict, text, rest, situation));
  if (completion === undefined) return undefined;
  return { kind: "too early", says: `${says()}\nit could continue: ${JSON.stringify(completion)}` };
}

function becomesValid(before: Verdict, text: string, rest: string, situation: Situation): boolean {
  const { messages, stop, at } = consult(text + rest, { ...situation, ended: false });
  if (stop === "refused") return false;
  const last = before.messages.at(-1);
  if (messages.length > before.messages.length) return true;
  if (messages.at(-1)?.complete !== last?.complete) return true;
  // A complete chunk line was read, and found valid.
  const line = rest.indexOf("\r\n");
  return last?.complete === false && line !== -1 && at > text.length + line + 1;
}

function sameMessages(ours: readonly Message[], theirs: readonly Message[]): boolean {
  return (
    ours.length === theirs.length && ours.every((message, i) => sameMessage(message, theirs[i]!))
  );
}

function sameMessage(ours: Message, theirs: Message): boolean {
  return (
    ours.start === theirs.start &&
    ours.body === theirs.body &&
    ours.complete === theirs.complete &&
    JSON.stringify(ours.fields) === JSON.stringify(theirs.fields) &&
    JSON.stringify(ours.trailers) === JSON.stringify(theirs.trailers)
  );
}

function describe({ stop, at, why, messages }: Verdict): string {
  return `${stop} at ${at} ${why} ${JSON.stringify(messages).slice(0, 2_000)}`;
}

function traceOf({ messages, stop, code, states }: Observed): string {
  const shapes = messages.slice(0, 4).map(({ start, fields, body, trailers, complete }) => {
    const names = fields.map(([name]) => name.length).join();
    return `${start.slice(0, 3)}${names}${body.length > 0}${trailers.length}${complete}`;
  });
  return `${shapes.join("|")} ${stop} ${code} ${states}`;
}
