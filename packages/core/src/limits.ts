// bytes → parser → events → connection → driver: [what each station will take at most, and for how long]

import { LocalProtocolError } from "./errors.ts";

interface Bound {
  /** The default. `Infinity` means: none. */
  readonly value: number;
  readonly unit: "bytes" | "count" | "ms";
  readonly because: string;
}

/** Bounds on size. Each is exact to the byte or the piece. */
const SIZES = {
  maxHeadBytes: { value: 16_384, unit: "bytes", because: "what node:http takes; from the first byte, ignored empty lines included, to the last CRLF" },
  maxTargetBytes: { value: 8_192, unit: "bytes", because: "RFC 9112 §3 asks for at least 8,000" },
  maxHeaders: { value: 100, unit: "count", because: "browsers send about 20; hyper takes 100" },
  maxTrailerBytes: { value: 8_192, unit: "bytes", because: "trailers carry digests and statuses, not content" },
  maxTrailers: { value: 32, unit: "count", because: "gRPC, the heaviest user, sends a handful" },
  maxChunkExtensionBytes: { value: 4_096, unit: "bytes", because: "nobody reads them; per message, or 1-byte chunks could carry megabytes of them" },
  maxInterimResponses: { value: 32, unit: "count", because: "103 comes once or twice, 102 once in a while; endless ones would hold a client for ever" },
  maxBodyBytes: { value: Infinity, unit: "bytes", because: "a proxy has none; an application knows its own" },
  maxDrainBytes: { value: 65_536, unit: "bytes", because: "one read: cheaper than a new connection, bounded for an attacker" },
  lingerBytes: { value: 262_144, unit: "bytes", because: "what a socket buffer still holds when we stop reading" },
  readAheadBytes: { value: 16_384, unit: "bytes", because: "one head of later requests while a service runs: enough to see that the peer is gone" },
  writeHighWaterBytes: { value: 65_536, unit: "bytes", because: "where a streamed body waits for the transport" },
  maxQueuedRequests: { value: 16, unit: "count", because: "requests wait in the caller, who can choose another connection" },
  maxRequests: { value: Infinity, unit: "count", because: "a balancer that wants connections to move sets it" },
  pipeline: { value: 1, unit: "count", because: "one request in flight: proxies in the field still break on more" },
} as const satisfies Record<string, Bound>;

/** Deadlines. 0 turns one off. */
const DEADLINES = {
  headMs: { value: 30_000, unit: "ms", because: "a head is one packet; more is a slow link or slowloris" },
  idleMs: { value: 60_000, unit: "ms", because: "shorter than the idle time of common balancers loses races; longer holds sockets" },
  bodyProgressMs: { value: 30_000, unit: "ms", because: "between two pieces of a body that is being read" },
  writeProgressMs: { value: 30_000, unit: "ms", because: "a peer that takes nothing for this long is gone" },
  continueMs: { value: 1_000, unit: "ms", because: "RFC 9110 §10.1.1: a client must not wait for 100 for ever; curl waits one second" },
  uploadGraceMs: { value: 10_000, unit: "ms", because: "an answered upload is finished out of courtesy, not at any price" },
  drainMs: { value: 5_000, unit: "ms", because: "a body nobody reads is not worth a longer wait" },
  lingerMs: { value: 2_000, unit: "ms", because: "a few round trips: so that the last answer is not destroyed by a reset" },
  claimMs: { value: 10_000, unit: "ms", because: "a switched io that nobody takes is a leak" },
  closeMs: { value: 10_000, unit: "ms", because: "how long a graceful close waits for the exchange in hand" },
  maxAgeMs: { value: 0, unit: "ms", because: "off; a balancer that wants connections to move sets it" },
} as const satisfies Record<string, Bound>;

/** Every bound with its default, its unit and its reason: the table behind the docs page. */
export const BOUNDS: Readonly<Record<LimitName, Bound>> = { ...SIZES, ...DEADLINES };

const LIMIT_NAMES = Object.keys(BOUNDS) as LimitName[];

export type LimitName = keyof typeof SIZES | keyof typeof DEADLINES;

/** All bounds, resolved. Bytes, counts and milliseconds as the name says. */
export type Limits = Readonly<Record<LimitName, number>>;

/** The bounds a caller wants otherwise. */
export type LimitOptions = { readonly [Name in LimitName]?: number | undefined };

/**
 * The defaults with the caller's wishes over them.
 *
 * @throws {LocalProtocolError} As {@link checkOption}.
 */
export function resolveLimits(options: LimitOptions = {}): Limits {
  const limits = {} as Record<LimitName, number>;
  let isNew = false;
  for (const name of LIMIT_NAMES) {
    const bound = BOUNDS[name];
    limits[name] = checkOption(name, options[name] ?? bound.value, bound.unit);
    isNew ||= limits[name] !== last?.[name];
  }
  if (isNew || last === undefined) last = Object.freeze(limits);
  return last;
}

// The connections of one server, or of one pool, have the same: they share one object.
let last: Limits | undefined;

/**
 * The value of an option, if it can be one.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`: not a whole number of 0 or more (`Infinity` is one,
 *   except for a deadline, which 0 turns off).
 */
export function checkOption(name: string, value: number, unit: Bound["unit"]): number {
  const whole = Number.isSafeInteger(value) && value >= 0;
  if (whole || (value === Infinity && unit !== "ms")) return value;
  throw new LocalProtocolError("INVALID_OPTION", `${name} is ${String(value)}`);
}
