// application → [options] → both ends: what to offer, and what to accept

import { LocalProtocolError, type ProposedRequest } from "@upgrade/core";
import { BOOLEAN, checkOptions, inWords, isToken, type Kind, type Kinds } from "@upgrade/core/io";

/**
 * Chooses one of the offered subprotocols, or none with `undefined`. It must not be async. If it
 * throws, or returns one that was not offered, the client gets a 500.
 */
export type ChooseSubprotocol = (
  offered: readonly string[],
  request: ProposedRequest,
) => string | undefined;

/**
 * Whether to accept a request from pages of this origin; `undefined` if it has no `Origin`. It must
 * not be async. If it throws, the client gets a 500.
 */
export type AcceptOrigin = (origin: string | undefined, request: ProposedRequest) => boolean;

/** What to ask of permessage-deflate (RFC 7692 §7.1). Each is a limit: less is always accepted. */
export interface PerMessageDeflateOptions {
  /** The server must not keep its window between messages: it needs less memory. Default false. */
  readonly serverNoContextTakeover?: boolean | undefined;
  /** The client must not keep its window between messages. Default false. */
  readonly clientNoContextTakeover?: boolean | undefined;
  /** The largest window of the server, as a power of two: 8 to 15. Default: no limit. */
  readonly serverMaxWindowBits?: number | undefined;
  /**
   * The largest window of the client, as a power of two: 8 to 15. By default a client leaves it to
   * the server; with `false` it cannot be limited. A server with a limit does not compress with a
   * client that cannot be limited.
   */
  readonly clientMaxWindowBits?: number | false | undefined;
}

/** What a WebSocket client offers, and what a server accepts. */
export interface WebSocketOptions {
  /**
   * Subprotocols: a client offers them in order; a server accepts the first of the client's that is
   * among them. A server may choose with a function instead. Default: none.
   */
  readonly subprotocols?: readonly string[] | ChooseSubprotocol | undefined;
  /** Fail if no subprotocol is agreed on: a server answers 400. Default false. */
  readonly requireSubprotocol?: boolean | undefined;
  /** Offer and accept compression. Default false: what speaks WebSocket must be able to do it. */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions | undefined;
  /**
   * Whose pages may connect, as browsers name them in `Origin`: `"https://a.test"`. A server refuses
   * others with 403, but not a client without `Origin`, which is not a browser; to decide on those,
   * too, use a function. Default: all. Set it if cookies identify your users.
   */
  readonly origins?: readonly string[] | AcceptOrigin | undefined;
}

/** Checked options. */
export interface Resolved {
  readonly subprotocols: readonly string[] | ChooseSubprotocol;
  readonly requireSubprotocol: boolean;
  /** Undefined: no compression. */
  readonly deflate: PerMessageDeflateOptions | undefined;
  readonly origins: ReadonlySet<string> | AcceptOrigin | undefined;
}

const OPTIONS: Kinds<WebSocketOptions> = {
  subprotocols: listOrFunction("tokens"),
  requireSubprotocol: BOOLEAN,
  perMessageDeflate: {
    says: "a boolean or an object of its parameters",
    fits: (value) => typeof value === "boolean" || (typeof value === "object" && value !== null),
  },
  origins: listOrFunction("origins"),
};

const WINDOW_BITS: Kind = { says: "a whole number from 8 to 15", fits: isWindowBits };
const DEFLATE_OPTIONS: Kinds<PerMessageDeflateOptions> = {
  serverNoContextTakeover: BOOLEAN,
  clientNoContextTakeover: BOOLEAN,
  serverMaxWindowBits: WINDOW_BITS,
  clientMaxWindowBits: {
    says: `${WINDOW_BITS.says}, or false`,
    fits: (value) => value === false || isWindowBits(value),
  },
};

/** @throws {LocalProtocolError} `INVALID_OPTION`. */
export function resolve(options: WebSocketOptions): Resolved {
  checkOptions(options, OPTIONS);
  const { requireSubprotocol = false, perMessageDeflate = false, origins } = options;
  const subprotocols = subprotocolsOf(options.subprotocols ?? []);
  if (requireSubprotocol && Array.isArray(subprotocols) && subprotocols.length === 0) {
    throw invalid("requireSubprotocol needs subprotocols to require one of");
  }
  return {
    subprotocols,
    requireSubprotocol,
    deflate: deflateOf(perMessageDeflate),
    origins: typeof origins === "object" ? originsOf(origins) : origins,
  };
}

export function invalid(what: string): LocalProtocolError {
  return new LocalProtocolError("INVALID_OPTION", what);
}

function listOrFunction(of: string): Kind {
  const fits = (value: unknown) => Array.isArray(value) || typeof value === "function";
  return { says: `a list of ${of}, or a function`, fits };
}

function isWindowBits(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 8 && (value as number) <= 15;
}

function subprotocolsOf(
  given: readonly string[] | ChooseSubprotocol,
): readonly string[] | ChooseSubprotocol {
  if (typeof given === "function") return given;
  const list = [...given];
  for (const [i, one] of (list as unknown[]).entries()) {
    if (typeof one !== "string")
      throw invalid(`subprotocols[${i}] is ${inWords(one)}, not a token`);
    if (!isToken(one)) {
      throw invalid(
        `subprotocols[${i}] is ${JSON.stringify(one)}, not a token: no spaces, no commas`,
      );
    }
    // RFC 6455 §4.1: all must be unique.
    if (list.indexOf(one) !== i) throw invalid(`subprotocols has ${JSON.stringify(one)} twice`);
  }
  return list;
}

function deflateOf(
  given: boolean | PerMessageDeflateOptions,
): PerMessageDeflateOptions | undefined {
  if (typeof given === "boolean") return given ? {} : undefined;
  checkOptions(given, DEFLATE_OPTIONS);
  return {
    serverNoContextTakeover: given.serverNoContextTakeover,
    clientNoContextTakeover: given.clientNoContextTakeover,
    serverMaxWindowBits: given.serverMaxWindowBits,
    clientMaxWindowBits: given.clientMaxWindowBits,
  };
}

// RFC 6454 §6.2: scheme "://" host [ ":" port ], or "null" for a page without an origin.
const ORIGIN = /^(?:null|[a-z][a-z0-9+.-]*:\/\/[^/?#@\s]+)$/i;

function originsOf(given: readonly string[]): ReadonlySet<string> {
  for (const [i, one] of (given as readonly unknown[]).entries()) {
    if (typeof one === "string" && ORIGIN.test(one)) continue;
    const came = typeof one === "string" ? JSON.stringify(one) : inWords(one);
    const rule = 'an origin is "https://a.test" or "https://a.test:8443", without a path';
    throw invalid(`origins[${i}] is ${came}; ${rule}`);
  }
  return new Set(given.map((one) => one.toLowerCase()));
}
