// What each stage accepts at most, and for how long.

import { checkOptions, checkValue, DURATION, type Kind, SIZE } from "./options.ts";
import type { Role } from "./role.ts";

/** The defaults, each with its reason, which the docs page quotes. `Infinity` means no limit. */
const DEFAULTS = {
  // Bounds on size. Each is exact.
  /** The same as node:http; from the first byte, ignored empty lines included, to the last CRLF. */
  maxHeadBytes: 16_384,
  /** RFC 9112 §3 recommends at least 8,000. */
  maxTargetBytes: 8_192,
  /** Browsers send about 20; hyper accepts 100. */
  maxHeaders: 100,
  /** Trailers carry digests and statuses, not content. */
  maxTrailerBytes: 8_192,
  /** gRPC, the heaviest user, sends a handful. */
  maxTrailers: 32,
  /** They are ignored. Counted per message, since 1-byte chunks could carry megabytes of them. */
  maxChunkExtensionBytes: 4_096,
  /** A server sends 103 once or twice and 102 now and then; an endless series would hold a client forever. */
  maxInterimResponses: 32,
  /** A proxy needs none; an application knows its own. */
  maxBodyBytes: Infinity,
  /** One read: cheaper than a new connection, and of little use to an attacker. */
  maxDrainBytes: 65_536,
  /** What a socket buffer may still hold when reading stops. */
  lingerBytes: 262_144,
  /** One head of a later request while a service runs: enough to notice that the peer is gone. */
  readAheadBytes: 16_384,
  /** Above this, a streamed body waits for the transport. */
  writeHighWaterBytes: 65_536,
  /** Further requests are the caller's to queue, since it can choose another connection. */
  maxQueuedRequests: 16,
  /** For a server behind a load balancer, so that its connections move. */
  maxRequests: Infinity,
  /** One request in flight: some deployed proxies still break on more. */
  pipeline: 1,

  // Bounds on speed. 0 turns one off.
  /** Apache's minimum, and a tenth of a modem's rate: a slower peer is only holding the connection. */
  minBodyBytesPerSecond: 500,
  /** The same for a received body of unknown length. A client's default is 0: the body may be a stream of events, which is slow by nature, and the client chose the server. */
  minStreamBytesPerSecond: 500,

  // Deadlines. 0 turns one off.
  /** A head is usually one packet; a slow one means a slow link or a Slowloris attack. */
  headMs: 30_000,
  /** A shorter time than that of common load balancers loses races; a longer one holds sockets. */
  idleMs: 60_000,
  /** Between two pieces of a body that is being read; a trailer section has `headMs`. */
  bodyProgressMs: 30_000,
  /** A peer that accepts nothing for this long is gone. */
  writeProgressMs: 30_000,
  /** RFC 9110 §10.1.1: a client must not wait for a 100 indefinitely; curl waits one second. */
  continueMs: 1_000,
  /** Finishing an upload that has been answered is a courtesy, with a limit. */
  uploadGraceMs: 10_000,
  /** An unread body is not worth a longer wait. */
  drainMs: 5_000,
  /** A few round trips, so that a reset does not destroy the last answer. */
  lingerMs: 2_000,
  /** A switched io that is never taken is a leak. */
  claimMs: 10_000,
  /** How long a graceful close waits for the exchange in progress. */
  closeMs: 10_000,
  /** For a server behind a load balancer, so that its connections move. */
  maxAgeMs: 0,
};

/** A client keeps its connection until something closes it, and may read slow streams. */
const CLIENT_DEFAULTS: Limits = { ...DEFAULTS, idleMs: 0, minStreamBytesPerSecond: 0 };

const LIMIT_NAMES = Object.keys(DEFAULTS) as LimitName[];

/** The options that are limits and deadlines, by name. */
export type LimitName = keyof typeof DEFAULTS;

/** What a peer can hold indefinitely by default, why, and what bounds it. The docs page quotes it. */
export const UNBOUNDED: { readonly [what: string]: readonly [because: string, bound: string] } = {
  "a client's wait for the first byte of an answer": [
    "only the application knows how long its request may take",
    "`signal` of `sendRequest()`, for instance `AbortSignal.timeout(ms)`; `timeoutMs` of `upgrade()` and `connect()`",
  ],
  "a client's wait for the end of an answer of unknown length": [
    "it may be a stream of events",
    "`minStreamBytesPerSecond`, `maxBodyBytes`, `signal`",
  ],
  "a body that is received, or accepted, at the minimum speed": [
    "it may be of any length",
    "`maxBodyBytes`, a higher `minBodyBytesPerSecond`, `close({ timeoutMs })`",
  ],
  "an idle client connection": ["a pool decides for itself how long to keep one", "`idleMs`"],
  "a connection on which requests keep arriving": [
    "that is its purpose",
    "`maxRequests`, `maxAgeMs`",
  ],
  "a proposal that the service leaves open, and a request it does not answer": [
    "the service is working on it, and `request.signal` says whether the peer is gone",
    "a timer of the service; `close({ timeoutMs })`",
  ],
  "a body that the application itself reads slowly, or produces slowly": [
    "the peer waits for the application",
    "`body.cancel()`, `maxBytes`; a timer of the application; `close({ timeoutMs })`",
  ],
  "a connection whose end `pollWithoutShutdown()` has reported, until its parts are taken": [
    "the application asked for the open io (after a switch it has `claimMs`)",
    "`abort()`",
  ],
  "a switch on a transport that cannot cancel its read": [
    "the read may bring bytes of the next protocol",
    "`cancelRead()` of the transport; `abort()`",
  ],
  "an io that is being connected, before anything is sent on it": [
    "it is the caller's; once a request is sent it has `writeProgressMs` to open",
    "a timer of the caller; on a server `headMs` bounds it",
  ],
  "an io that has switched": [
    "what counts as slow depends on the protocol",
    "`tunnel()`, which ends after an hour of silence (`idleMs`); the next owner",
  ],
};

/** All limits, resolved: bytes, counts or milliseconds, as the name says. */
export type Limits = { readonly [Name in keyof typeof DEFAULTS]: number };

/** The limits a caller overrides. */
export type LimitOptions = { readonly [Name in keyof typeof DEFAULTS]?: number | undefined };

const NOTHING_ELSE = {};

/**
 * The defaults of this role, overridden by the caller's options.
 *
 * @param kinds Other options that are allowed besides the limits.
 * @throws {LocalProtocolError} `INVALID_OPTION`: as {@link checkOption}; or an option that is
 *   unknown, or not of its kind.
 */
export function resolveLimits(
  options: LimitOptions = NOTHING_ELSE,
  role: Role = "server",
  kinds: { readonly [name: string]: Kind } = NOTHING_ELSE,
): Limits {
  const defaults = role === "client" ? CLIENT_DEFAULTS : DEFAULTS;
  checkOptions(options, kinds, DEFAULTS);
  const names = namesIn(options);
  if (names.length === 0) return Object.freeze(defaults);
  const limits: Record<LimitName, number> = { ...defaults };
  for (const name of names) limits[name] = checkOption(name, options[name] ?? defaults[name]);
  return Object.freeze(limits);
}

// A plain object has few keys; any other may have limits that cannot be enumerated.
function namesIn(options: LimitOptions): readonly LimitName[] {
  if (Object.getPrototypeOf(options) !== Object.prototype) return LIMIT_NAMES;
  return Object.keys(options).filter((name): name is LimitName => Object.hasOwn(DEFAULTS, name));
}

/**
 * Returns `value` if it is valid for the option.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`: not a whole number of 0 or more (`Infinity` is one,
 *   except for a duration, whose name ends in `Ms` and which 0 turns off).
 */
export function checkOption(name: string, value: number): number {
  checkValue(name, value, name.endsWith("Ms") ? DURATION : SIZE);
  return value;
}
