// bytes → parser → events → connection → driver: [what each station will take at most, and for how long]

import { checkOptions, checkValue, DURATION, type Kind, SIZE } from "./options.ts";
import type { Role } from "./role.ts";

/** The defaults, each with its reason, which the docs page takes from here. `Infinity` means: none. */
const DEFAULTS = {
  // Bounds on size. Each is exact to the byte or the piece.
  /** What node:http takes; from the first byte, ignored empty lines included, to the last CRLF. */
  maxHeadBytes: 16_384,
  /** RFC 9112 §3 asks for at least 8,000. */
  maxTargetBytes: 8_192,
  /** Browsers send about 20; hyper takes 100. */
  maxHeaders: 100,
  /** Trailers carry digests and statuses, not content. */
  maxTrailerBytes: 8_192,
  /** gRPC, the heaviest user, sends a handful. */
  maxTrailers: 32,
  /** Nobody reads them; per message, or 1-byte chunks could carry megabytes of them. */
  maxChunkExtensionBytes: 4_096,
  /** 103 comes once or twice, 102 once in a while; endless ones would hold a client for ever. */
  maxInterimResponses: 32,
  /** A proxy has none; an application knows its own. */
  maxBodyBytes: Infinity,
  /** One read: cheaper than a new connection, bounded for an attacker. */
  maxDrainBytes: 65_536,
  /** What a socket buffer still holds when we stop reading. */
  lingerBytes: 262_144,
  /** One head of later requests while a service runs: enough to see that the peer is gone. */
  readAheadBytes: 16_384,
  /** Where a streamed body waits for the transport. */
  writeHighWaterBytes: 65_536,
  /** Requests wait in the caller, who can choose another connection. */
  maxQueuedRequests: 16,
  /** A balancer that wants connections to move sets it. */
  maxRequests: Infinity,
  /** One request in flight: proxies in the field still break on more. */
  pipeline: 1,

  // Bounds on speed. 0 turns one off.
  /** What Apache demands, and a tenth of what a modem does: a slower peer holds a connection more than it sends a body. */
  minBodyBytesPerSecond: 500,
  /** The same for a received body of unknown length. A client's may be a stream of events, which is slow by nature, and comes from a server of its choice. */
  minStreamBytesPerSecond: 500,

  // Deadlines. 0 turns one off.
  /** A head is one packet; more is a slow link or slowloris. */
  headMs: 30_000,
  /** Shorter than the idle time of common balancers loses races; longer holds sockets. */
  idleMs: 60_000,
  /** Between two pieces of a body that is being read; a trailer section has `headMs`. */
  bodyProgressMs: 30_000,
  /** A peer that takes nothing for this long is gone. */
  writeProgressMs: 30_000,
  /** RFC 9110 §10.1.1: a client must not wait for 100 for ever; curl waits one second. */
  continueMs: 1_000,
  /** An answered upload is finished out of courtesy, not at any price. */
  uploadGraceMs: 10_000,
  /** A body nobody reads is not worth a longer wait. */
  drainMs: 5_000,
  /** A few round trips: so that the last answer is not destroyed by a reset. */
  lingerMs: 2_000,
  /** A switched io that nobody takes is a leak. */
  claimMs: 10_000,
  /** How long a graceful close waits for the exchange in hand. */
  closeMs: 10_000,
  /** Off; a balancer that wants connections to move sets it. */
  maxAgeMs: 0,
};

/** A client keeps its connection until it is told otherwise, and may listen to slow streams. */
const CLIENT_DEFAULTS: Limits = { ...DEFAULTS, idleMs: 0, minStreamBytesPerSecond: 0 };

const LIMIT_NAMES = Object.keys(DEFAULTS) as LimitName[];

export type LimitName = keyof typeof DEFAULTS;

/** What a peer can hold by default for as long as it likes, why, and what bounds it. The docs page is made of it. */
export const UNBOUNDED: { readonly [what: string]: readonly [because: string, bound: string] } = {
  "a client's wait for the first byte of an answer": [
    "the application knows how long its question may take",
    "`signal` of `sendRequest()`, for instance `AbortSignal.timeout(ms)`; `timeoutMs` of `upgrade()` and `connect()`",
  ],
  "a client's wait for the end of an answer of unknown length": [
    "it may be a stream of events",
    "`minStreamBytesPerSecond`, `maxBodyBytes`, `signal`",
  ],
  "a body that comes, or is taken, at the least speed": [
    "it is as long as it is",
    "`maxBodyBytes`, a higher `minBodyBytesPerSecond`, `close({ timeoutMs })`",
  ],
  "an idle client connection": [
    "a pool has its own idea of how long one is worth keeping",
    "`idleMs`",
  ],
  "a connection on which requests keep coming": [
    "that is what it is for",
    "`maxRequests`, `maxAgeMs`",
  ],
  "a proposal that the service leaves open, and a request it does not answer": [
    "the service is at work, and sees in `request.signal` whether the peer is gone",
    "a timer of the service; `close({ timeoutMs })`",
  ],
  "a body that our own application reads slowly, or makes slowly": [
    "the peer waits for us",
    "`body.cancel()`, `maxBytes`; a timer of the application; `close({ timeoutMs })`",
  ],
  "a connection whose end `pollWithoutShutdown()` has told, until its parts are taken": [
    "the application asked for the io as it is (after a switch it has `claimMs`)",
    "`abort()`",
  ],
  "a switch on a transport that cannot withdraw its read": [
    "the read may bring bytes of the next protocol",
    "`cancelRead()` of the transport; `abort()`",
  ],
  "an io that is being connected, before anything is said on it": [
    "it is the caller's; once a request is said it has `writeProgressMs` to open",
    "a timer of the caller; on a server `headMs` bounds it",
  ],
  "an io that has switched, and a tunnel": [
    "what is slow depends on the protocol",
    "`idleMs` of `tunnel()`; the next owner",
  ],
};

/** All bounds, resolved. Bytes, counts and milliseconds as the name says. */
export type Limits = { readonly [Name in keyof typeof DEFAULTS]: number };

/** The bounds a caller wants otherwise. */
export type LimitOptions = { readonly [Name in keyof typeof DEFAULTS]?: number | undefined };

const NOTHING_ELSE = {};

/**
 * The defaults of this role with the caller's wishes over them.
 *
 * @param kinds What options may stand beside the limits.
 * @throws {LocalProtocolError} `INVALID_OPTION`: as {@link checkOption}; or an option that is not
 *   known, or not of its kind.
 */
export function resolveLimits(
  options: LimitOptions = NOTHING_ELSE,
  role: Role = "server",
  kinds: { readonly [name: string]: Kind } = NOTHING_ELSE,
): Limits {
  const defaults = role === "client" ? CLIENT_DEFAULTS : DEFAULTS;
  if (options === defaults || options === last) return options as Limits;
  checkOptions(options, kinds, DEFAULTS);
  const names = namesIn(options);
  if (names.length === 0) return Object.freeze(defaults);
  const limits: Record<LimitName, number> = { ...defaults };
  for (const name of names) limits[name] = checkOption(name, options[name] ?? defaults[name]);
  if (last === undefined || LIMIT_NAMES.some((name) => limits[name] !== last?.[name])) {
    last = Object.freeze(limits);
  }
  return last;
}

// A plain object is asked for what it has, which is little; any other, for all it could have.
function namesIn(options: LimitOptions): readonly LimitName[] {
  if (Object.getPrototypeOf(options) !== Object.prototype) return LIMIT_NAMES;
  return Object.keys(options).filter((name): name is LimitName => Object.hasOwn(DEFAULTS, name));
}

// The connections of one server, or of one pool, have the same: they share one object.
let last: Limits | undefined;

/**
 * The value of an option, if it can be one.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`: not a whole number of 0 or more (`Infinity` is one,
 *   except for a duration, whose name ends in `Ms` and which 0 turns off).
 */
export function checkOption(name: string, value: number): number {
  checkValue(name, value, name.endsWith("Ms") ? DURATION : SIZE);
  return value;
}
