import { type Heard, hear, isOurs } from "./hear.ts";
import { KNOWN_DIFFERENCES } from "./known.ts";
import { consult, type Message, type Situation, type Verdict } from "./oracle.ts";
import type { Random } from "./random.ts";

/** What went wrong: a stable word for its kind, and the whole story. */
export interface Fault {
  readonly kind: string;
  readonly says: string;
}

export interface Judgement {
  readonly fault: Fault | undefined;
  /** What the input made happen, roughly: a new one makes the input worth keeping. */
  readonly trace: string;
}

// Bounded work: this much time for each 64 KiB.
const MS_PER_SLICE = 50;
const SLICE_BYTES = 65_536;
// Longer inputs are not played octet by octet: that is a square of work, and no new place to cut.
const LONGEST_DRIP = 2_000;

// What may come behind a head or a body that is not complete. Were one of these accepted, nothing
// in front of it was wrong.
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

/** Plays `text` in every way that must not matter, and asks the oracle. */
export function judge(text: string, situation: Situation, random: Random): Judgement {
  const input = Buffer.from(text, "latin1");
  try {
    const heard = timed(situation, input);
    if (typeof heard === "string") return { fault: { kind: "slow", says: heard }, trace: "" };
    const fault =
      accounted(heard) ??
      cutFault(situation, input, heard, random) ??
      compare(heard, text, situation);
    return { fault, trace: traceOf(heard) };
  } catch (error) {
    const kind = isOurs(error) ? "refuses our own" : "throws";
    const says = error instanceof Error ? (error.stack ?? error.message) : String(error);
    return { fault: { kind, says }, trace: "" };
  }
}

function timed(situation: Situation, input: Buffer): Heard | string {
  const allowed = MS_PER_SLICE * Math.max(1, input.length / SLICE_BYTES);
  let fastest = Infinity;
  // The machine may have been busy elsewhere: three times in a row it was not.
  for (let attempt = 0; attempt < 3; attempt++) {
    const started = performance.now();
    const heard = hear(situation, [input], input);
    const took = performance.now() - started;
    if (took <= allowed) return heard;
    fastest = Math.min(fastest, took);
  }
  return `${input.length} octets took ${fastest.toFixed(0)} ms`;
}

// L1: each octet is HTTP's or in the read buffer, and an error stands among what was received.
function accounted(heard: Heard): Fault | undefined {
  if (heard.broken !== "") return { kind: "law", says: heard.broken };
  if (!heard.restIsTail)
    return { kind: "account", says: "the read buffer is not the end of the input" };
  if (heard.stop !== "refused") return undefined;
  // In front of a fault in a body everything was HTTP's; a head and a trailer section are one piece.
  const counted = heard.phase === "body" && /CHUNK|BODY_TOO/.test(heard.code);
  if (counted && heard.offset !== heard.at)
    return { kind: "account", says: "octets lost at an error" };
  return undefined;
}

function cutFault(
  situation: Situation,
  input: Buffer,
  whole: Heard,
  random: Random,
): Fault | undefined {
  const expected = JSON.stringify(whole);
  const drips = input.length <= LONGEST_DRIP && random.oneIn(16);
  const places = drips ? [...input.keys()] : somePlaces(input.length, random);
  const came = JSON.stringify(hear(situation, piecesOf(input, places), input));
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

/** The pieces of `input` between `places`, each in memory of its own. */
export function piecesOf(input: Uint8Array, places: readonly number[]): Uint8Array[] {
  return [...places, input.length].map((to, i) =>
    Uint8Array.prototype.slice.call(input, places[i - 1] ?? 0, to),
  );
}

/** Where the heart and the oracle differ, and are not meant to. */
export function compare(heard: Heard, text: string, situation: Situation): Fault | undefined {
  const verdict = consult(text, situation);
  if (KNOWN_DIFFERENCES.some(({ covers }) => covers(heard, text, situation))) return undefined;
  const says = () => `heart:  ${told(heard)}\noracle: ${told(verdict)}`;
  if (!sameMessages(heard.messages, verdict.messages)) return { kind: "content", says: says() };
  if (heard.stop === verdict.stop) {
    // Where a refused chunk begins the oracle knows, but not how far it was sound.
    const agreed = heard.stop === "refused" ? heard.at >= verdict.at : heard.at === verdict.at;
    return agreed ? undefined : { kind: "place", says: says() };
  }
  const unfinished = verdict.stop === "more" || verdict.stop === "incomplete";
  if (heard.stop !== "refused" || !unfinished)
    return { kind: `${heard.stop} not ${verdict.stop}`, says: says() };
  // The heart may refuse early what could never have become right.
  const completion = COMPLETIONS.find((rest) => becomesRight(verdict, text, rest, situation));
  if (completion === undefined) return undefined;
  return { kind: "too early", says: `${says()}\nit could go on: ${JSON.stringify(completion)}` };
}

function becomesRight(before: Verdict, text: string, rest: string, situation: Situation): boolean {
  const { messages, stop, at } = consult(text + rest, { ...situation, ended: false });
  if (stop === "refused") return false;
  const last = before.messages.at(-1);
  if (messages.length > before.messages.length) return true;
  if (messages.at(-1)?.complete !== last?.complete) return true;
  // A chunk line that has ended was read, and found right.
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

function told({ stop, at, why, messages }: Verdict): string {
  return `${stop} at ${at} ${why} ${JSON.stringify(messages).slice(0, 2_000)}`;
}

function traceOf({ messages, stop, code, states }: Heard): string {
  const shapes = messages.slice(0, 4).map(({ start, fields, body, trailers, complete }) => {
    const names = fields.map(([name]) => name.length).join();
    return `${start.slice(0, 3)}${names}${body.length > 0}${trailers.length}${complete}`;
  });
  return `${shapes.join("|")} ${stop} ${code} ${states}`;
}
