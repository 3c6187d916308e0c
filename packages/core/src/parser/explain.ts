// bytes → slow head → [explain] → error: the first fault of a head, in whatever pieces it came

import { type RemoteCode, RemoteProtocolError } from "../base/errors.ts";
import { isTokenOctet, isWhiteSpace, octetName } from "../base/tokens.ts";
import { faultOfOctet, faultOfTarget, isTargetOctet } from "../message/target.ts";
import { foreignOf } from "./foreign.ts";
import { MAX_METHOD_BYTES, type PlaceName, Walk } from "./grammar.ts";
import type { HeadLimits, SectionKind } from "./head.ts";

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const ZERO = 0x30;

// RFC 9110 §16.1.1: the registered methods of HTTP/1.1, and others that servers commonly accept.
const METHODS = new Set(
  (
    "ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR " +
    "MKCOL MOVE NOTIFY OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH " +
    "SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE"
  ).split(" "),
);

interface Fault {
  readonly code: RemoteCode;
  readonly detail: string;
  readonly offset: number;
}

/**
 * The first fault of `text`, the beginning of a head; undefined if it has none so far, or if more
 * octets will show that it is another protocol. A fault is the first octet that no valid head has
 * there, or the start of a part of which only the whole is wrong: an unknown method, a target that
 * does not fit its method. So it depends on the head alone, not on how much of it has come.
 *
 * @param walk A new walk; afterwards it knows where the parts of the head are.
 * @param judgesLengths Whether a wrong Content-Length is a fault.
 */
export function explain(
  kind: SectionKind,
  text: string,
  limits: HeadLimits,
  judgesLengths: boolean,
  walk = new Walk(kind, limits.maxTargetBytes),
): RemoteProtocolError | undefined {
  const fault = firstFault(
    walk,
    text,
    limits,
    judgesLengths ? new Lengths(kind, limits) : undefined,
  );
  if (fault === undefined) return undefined;
  return named(kind, text, fault);
}

/** What is wrong with a complete request line as a whole; undefined if nothing is. */
export function explainRequestLine(walk: Walk, text: string): RemoteProtocolError | undefined {
  const fault = faultOfRequestLine(walk, text);
  return fault === undefined ? undefined : named("request", text, fault);
}

function named(kind: SectionKind, text: string, fault: Fault): RemoteProtocolError | undefined {
  const foreign = kind === "trailers" ? undefined : foreignOf(kind, text);
  if (foreign === "undecided") return undefined;
  const { code, says } = foreign ?? { code: fault.code, says: fault.detail };
  return new RemoteProtocolError(code, says, { offset: fault.offset });
}

function firstFault(
  walk: Walk,
  text: string,
  limits: HeadLimits,
  lengths: Lengths | undefined,
): Fault | undefined {
  while (walk.length < text.length) {
    const octet = text.charCodeAt(walk.length);
    const fault = lengths?.accept(walk, text, octet);
    if (fault !== undefined) return fault;
    const before = walk.place;
    if (!walk.step(octet)) return faultOfPlace(walk, text, octet, limits);
    if (before !== "line feed" || walk.starts.method === undefined) continue;
    const bad = faultOfRequestLine(walk, text);
    if (bad !== undefined) return bad;
  }
  return undefined;
}

function faultOfRequestLine({ starts }: Walk, text: string): Fault | undefined {
  const [methodAt, targetAt, versionAt] = [starts.method!, starts.target!, starts.version!];
  const method = text.slice(methodAt, targetAt - 1);
  // RFC 9110 §15.6.2.
  if (!METHODS.has(method)) return { code: "UNKNOWN_METHOD", detail: "", offset: methodAt };
  const detail = faultOfTarget(method, text.slice(targetAt, versionAt - 1));
  return detail === undefined ? undefined : { code: "MALFORMED_TARGET", detail, offset: targetAt };
}

type Explanation = readonly [code: RemoteCode | undefined, detail: string];

/**
 * Why `octet`, after `at` others of its place, may not stand there. Names a field, but never quotes
 * its value, which may be a secret. Without a code: the section's own.
 */
const EXPLANATIONS: {
  readonly [P in PlaceName]?: (octet: number, at: number, walk: Walk, text: string) => Explanation;
} = {
  method: (octet, at) =>
    at === MAX_METHOD_BYTES && isTokenOctet(octet)
      ? ["UNKNOWN_METHOD", `it has more than ${MAX_METHOD_BYTES} octets`]
      : unexpected(octet, "method"),
  target: (octet, at) => {
    // RFC 1945 §4.1: a Simple-Request, as in HTTP/0.9.
    if (octet === CR || octet === LF) {
      return ["MALFORMED_START_LINE", "the line ends without a version"];
    }
    if (octet === SP) return unexpected(octet, "target");
    if (!isTargetOctet(octet)) return ["MALFORMED_TARGET", faultOfOctet(octet, at)];
    return ["TARGET_TOO_LONG", ""];
  },
  version: (octet, _, walk, text) => {
    const version = text.slice(walk.starts.version, walk.length + 1);
    return /^HTTP\/\d\.\d$/.test(version)
      ? ["UNSUPPORTED_VERSION", version]
      : unexpected(octet, "version");
  },
  "status code": (octet, at) =>
    at === 1 && octet === ZERO
      ? ["BAD_STATUS", "it begins with 0"]
      : unexpected(octet, "status code"),
  "line feed": (octet) => unexpected(octet, "line end"),
  "field name": (octet, at) =>
    // RFC 9112 §5.2.
    at === 0 && isWhiteSpace(octet)
      ? [undefined, "a line begins with white space (obs-fold)"]
      : [undefined, `${octetName(octet)} in a field name`],
  "field value": (octet, _, walk, text) => [undefined, inValue(octetName(octet), walk, text, 0)],
  "field end": (_, __, walk, text) => [undefined, inValue("a CR without LF", walk, text, 1)],
  "section end": () => [undefined, "a CR without LF in a field name"],
  complete: () => [undefined, ""],
};

function faultOfPlace(walk: Walk, text: string, octet: number, { malformed }: HeadLimits): Fault {
  const { place, at, length } = walk;
  const [code = malformed, detail] =
    EXPLANATIONS[place]?.(octet, at, walk, text) ?? unexpected(octet, place);
  return { code, detail, offset: length };
}

function unexpected(octet: number, place: string): Explanation {
  return ["MALFORMED_START_LINE", `${octetName(octet)} in the ${place}`];
}

// `back`: how many octets before this one the fault began.
function inValue(what: string, { starts, length }: Walk, text: string, back: number): string {
  const colon = starts["field value"]! - 1;
  let start = colon + 1;
  while (isWhiteSpace(text.charCodeAt(start))) start++;
  return `${text.slice(starts["field name"], colon)} has ${what} at ${length - back - start}`;
}

// llhttp counts a length in 64 bits; framing.ts refuses one that a number cannot hold.
const MAX_LENGTH = 0xffff_ffff_ffff_ffffn;

/** Follows the Content-Length lines of a head: one line of digits (RFC 9110 §8.6). */
class Lengths {
  readonly #code: RemoteCode;
  #lines = 0;
  // Whether the current line is one, and what its digits are so far.
  #isInLine = false;
  #isEmpty = true;
  #hasEnded = false;
  #value = 0n;

  // A trailer frames nothing.
  constructor(kind: SectionKind, limits: HeadLimits) {
    this.#code = kind === "trailers" ? limits.malformed : "BAD_CONTENT_LENGTH";
  }

  /** What is wrong with a length at `octet`, which is next. */
  accept(walk: Walk, text: string, octet: number): Fault | undefined {
    const { place, starts, length } = walk;
    if (place === "field value") {
      if (walk.at === 0) this.#begin(text.slice(starts["field name"], length - 1));
      return this.#isInLine ? this.#acceptValue(walk, text, octet) : undefined;
    }
    // If the next line begins with white space, the fault is that the value goes on there.
    const isEmpty = this.#isInLine && this.#isEmpty;
    if (place !== "field name" || !isEmpty || isWhiteSpace(octet)) return undefined;
    return this.#fault("is empty", starts["field end"]! - 1);
  }

  #begin(name: string): void {
    this.#isInLine = name.toLowerCase() === "content-length";
    if (this.#isInLine) this.#lines++;
    this.#isEmpty = true;
    this.#hasEnded = false;
    this.#value = 0n;
  }

  #acceptValue(walk: Walk, text: string, octet: number): Fault | undefined {
    if (octet === CR || octet === LF) return undefined;
    if (isWhiteSpace(octet)) {
      this.#hasEnded = !this.#isEmpty;
      return undefined;
    }
    // The first octet that a second line cannot have is its colon.
    if (this.#lines > 1) return this.#fault("has a second line", walk.starts["field value"]! - 1);
    const digit = octet - ZERO;
    if (digit < 0 || digit > 9 || this.#hasEnded) {
      const detail = inValue(octetName(octet), walk, text, 0);
      return { code: this.#code, detail, offset: walk.length };
    }
    this.#isEmpty = false;
    this.#value = this.#value * 10n + BigInt(digit);
    return this.#value > MAX_LENGTH ? this.#fault("is too large", walk.length) : undefined;
  }

  #fault(what: string, offset: number): Fault {
    return { code: this.#code, detail: `Content-Length ${what}`, offset };
  }
}
