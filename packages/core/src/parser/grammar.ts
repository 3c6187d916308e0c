// bytes → [grammar] → slow head, explain: the octets of a head, by RFC 9112

import { isTextOctet, isTokenOctet } from "../base/tokens.ts";
import { isTargetOctet } from "../message/target.ts";
import type { SectionKind } from "./head.ts";

/** A part of a head. */
export interface Place {
  readonly name: PlaceName;
  /**
   * The place of the next octet, if `octet` may stand here after `at` other octets of this place;
   * undefined if it may not.
   */
  readonly step: (octet: number, at: number, walk: Walk) => Place | undefined;
}

export type PlaceName =
  | "method"
  | "empty line"
  | "target"
  | "version"
  | "status code"
  | "reason phrase"
  | "line end"
  | "line feed"
  | "field name"
  | "field value"
  | "field end"
  | "section end"
  | "complete";

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const COLON = 0x3a;
const ZERO = 0x30;
// The octets of a version; a 0 stands for any digit.
const VERSION = "HTTP/0.0";
const MAJOR_AT = VERSION.indexOf("0");
const MINOR_AT = VERSION.lastIndexOf("0");

/** Longer than any method in the registry. */
export const MAX_METHOD_BYTES = 32;

// RFC 9112 §2.2: empty lines are allowed only before a request line.
const METHOD: Place = {
  name: "method",
  step: (octet, at) => {
    if (octet === CR && at === 0) return EMPTY_LINE;
    if (octet === SP && at > 0) return TARGET;
    return isTokenOctet(octet) && at < MAX_METHOD_BYTES ? METHOD : undefined;
  },
};

const EMPTY_LINE: Place = {
  name: "empty line",
  step: (octet) => (octet === LF ? METHOD : undefined),
};

const TARGET: Place = {
  name: "target",
  step: (octet, at, walk) => {
    if (octet === SP && at > 0) return VERSION_OF_REQUEST;
    return isTargetOctet(octet) && at < walk.maxTargetBytes ? TARGET : undefined;
  },
};

// RFC 9112 §2.3: "HTTP/" DIGIT "." DIGIT, of which we speak 1.0 and 1.1.
function versionBefore(next: () => Place): Place {
  const version: Place = {
    name: "version",
    step: (octet, at, walk) => {
      const wanted = VERSION.charCodeAt(at);
      if (wanted === ZERO ? !isDigit(octet) : octet !== wanted) return undefined;
      if (at === MAJOR_AT) walk.major = octet - ZERO;
      if (at < MINOR_AT) return version;
      return walk.major === 1 && octet - ZERO <= 1 ? next() : undefined;
    },
  };
  return version;
}

const VERSION_OF_REQUEST = versionBefore(() => LINE_END);
const VERSION_OF_RESPONSE = versionBefore(() => STATUS_CODE);

// RFC 9112 §4: SP status-code SP [ reason-phrase ]; the last SP may be missing.
const STATUS_CODE: Place = {
  name: "status code",
  step: (octet, at) => {
    if (at === 0) return octet === SP ? STATUS_CODE : undefined;
    if (at === 4) return octet === SP ? REASON_PHRASE : octet === CR ? LINE_FEED : undefined;
    return isDigit(octet) && !(octet === ZERO && at === 1) ? STATUS_CODE : undefined;
  },
};

const REASON_PHRASE: Place = {
  name: "reason phrase",
  step: (octet) => {
    if (octet === CR) return LINE_FEED;
    return isTextOctet(octet) ? REASON_PHRASE : undefined;
  },
};

// RFC 9112 §2.2: a line ends in CR LF.
const LINE_END: Place = {
  name: "line end",
  step: (octet) => (octet === CR ? LINE_FEED : undefined),
};

const LINE_FEED: Place = {
  name: "line feed",
  step: (octet) => (octet === LF ? FIELD_NAME : undefined),
};

// RFC 9112 §5: name ":" OWS value OWS CRLF, line after line, and an empty one.
const FIELD_NAME: Place = {
  name: "field name",
  step: (octet, at) => {
    if (octet === CR && at === 0) return SECTION_END;
    if (octet === COLON && at > 0) return FIELD_VALUE;
    return isTokenOctet(octet) ? FIELD_NAME : undefined;
  },
};

const FIELD_VALUE: Place = {
  name: "field value",
  step: (octet) => {
    if (octet === CR) return FIELD_END;
    return isTextOctet(octet) ? FIELD_VALUE : undefined;
  },
};

const FIELD_END: Place = {
  name: "field end",
  step: (octet) => (octet === LF ? FIELD_NAME : undefined),
};

const SECTION_END: Place = {
  name: "section end",
  step: (octet) => (octet === LF ? COMPLETE : undefined),
};

const COMPLETE: Place = { name: "complete", step: () => undefined };

const FIRST: { readonly [K in SectionKind]: Place } = {
  request: METHOD,
  response: VERSION_OF_RESPONSE,
  trailers: FIELD_NAME,
};

function isDigit(octet: number): boolean {
  return octet >= ZERO && octet <= ZERO + 9;
}

/** A way through the places of one head, as far as its octets have been received. */
export class Walk {
  #place: Place;
  #placeAt = 0;
  /** The number of octets, including empty lines before the head. */
  length = 0;
  /** Where each place begins: if there were several of it, the last. */
  readonly starts: { [P in PlaceName]?: number } = {};
  readonly maxTargetBytes: number;
  /** The first digit of the version. */
  major = 0;
  /** Where the fields begin; undefined until the start line is complete. */
  fieldsAt: number | undefined;

  constructor(kind: SectionKind, maxTargetBytes: number) {
    this.#place = FIRST[kind];
    this.maxTargetBytes = maxTargetBytes;
    this.starts[this.#place.name] = 0;
    if (kind === "trailers") this.fieldsAt = 0;
  }

  /** The part of the head to which the next octet belongs. */
  get place(): PlaceName {
    return this.#place.name;
  }

  /** How many octets of it there were. */
  get at(): number {
    return this.length - this.#placeAt;
  }

  /** Whether there was more than the empty lines allowed before a request line. */
  get hasBegun(): boolean {
    return this.length > 0 && this.place !== "empty line" && !(this.place === "method" && !this.at);
  }

  /** Takes the next octet, unless it may not stand here. */
  step(octet: number): boolean {
    const next = this.#place.step(octet, this.length - this.#placeAt, this);
    if (next === undefined) return false;
    this.length++;
    if (next === this.#place) return true;
    this.#place = next;
    this.#placeAt = this.length;
    this.starts[next.name] = this.length;
    if (next === FIELD_NAME) this.fieldsAt ??= this.length;
    return true;
  }
}
