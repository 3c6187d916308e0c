// offer ↔ [deflate] ↔ response: the parameters of permessage-deflate (RFC 7692 §7.1)

import type { DeflateAgreement } from "./agreement.ts";
import type { ExtensionParam } from "./extension-list.ts";
import type { PerMessageDeflateOptions } from "./options.ts";

export const DEFLATE = "permessage-deflate";

/** The window of DEFLATE, if no parameter limits it. */
const MAX_WINDOW_BITS = 15;

/** The parameters of an offer or a response. */
export interface DeflateParams {
  readonly serverNoContextTakeover: boolean;
  readonly clientNoContextTakeover: boolean;
  readonly serverMaxWindowBits: number | undefined;
  /** `true` in an offer: the server may choose. */
  readonly clientMaxWindowBits: number | true | undefined;
}

type Value = string | true;

// RFC 7692 §7.1: each parameter, in the order in which it is sent.
const PARAMS = {
  server_no_context_takeover: { as: "serverNoContextTakeover", read: flag },
  client_no_context_takeover: { as: "clientNoContextTakeover", read: flag },
  server_max_window_bits: { as: "serverMaxWindowBits", read: windowBits },
  client_max_window_bits: {
    as: "clientMaxWindowBits",
    read: (value: Value) => (value === true ? true : windowBits(value)),
  },
} as const;
type ParamName = keyof typeof PARAMS;

/** The parameters of one extension of a list; a string says what is wrong with them. */
export function readDeflate(params: readonly ExtensionParam[]): DeflateParams | string {
  const found: Record<string, number | true> = {};
  for (const [name, value] of params) {
    if (!Object.hasOwn(PARAMS, name)) return `${name} is unknown`;
    const { as, read } = PARAMS[name as ParamName];
    if (Object.hasOwn(found, as)) return `${name} is there twice`;
    const meaning = read(value);
    if (meaning === undefined) return `${name} cannot be ${value === true ? "empty" : value}`;
    found[as] = meaning;
  }
  return {
    serverNoContextTakeover: found.serverNoContextTakeover === true,
    clientNoContextTakeover: found.clientNoContextTakeover === true,
    serverMaxWindowBits: found.serverMaxWindowBits as number | undefined,
    clientMaxWindowBits: found.clientMaxWindowBits,
  };
}

export function writeDeflate(params: DeflateParams): ExtensionParam[] {
  return Object.entries(PARAMS).flatMap(([name, { as }]) => {
    const value = params[as];
    if (value === undefined || value === false) return [];
    return [[name, value === true ? true : String(value)] as const];
  });
}

/** What a client offers. */
export function offerDeflate(options: PerMessageDeflateOptions): DeflateParams {
  const { clientMaxWindowBits = true } = options;
  return {
    serverNoContextTakeover: options.serverNoContextTakeover === true,
    clientNoContextTakeover: options.clientNoContextTakeover === true,
    serverMaxWindowBits: options.serverMaxWindowBits,
    clientMaxWindowBits: clientMaxWindowBits === false ? undefined : clientMaxWindowBits,
  };
}

/** How a server answers an offer; undefined if it declines. */
export function respondDeflate(
  offered: DeflateParams,
  options: PerMessageDeflateOptions,
): DeflateParams | undefined {
  const limit = options.clientMaxWindowBits === false ? undefined : options.clientMaxWindowBits;
  // RFC 7692 §7.1.2.2: a client that did not offer to be limited cannot be.
  if (limit !== undefined && offered.clientMaxWindowBits === undefined) return undefined;
  const clientBits = offered.clientMaxWindowBits === true ? undefined : offered.clientMaxWindowBits;
  return {
    serverNoContextTakeover:
      offered.serverNoContextTakeover || options.serverNoContextTakeover === true,
    clientNoContextTakeover:
      offered.clientNoContextTakeover || options.clientNoContextTakeover === true,
    serverMaxWindowBits: least(offered.serverMaxWindowBits, options.serverMaxWindowBits),
    clientMaxWindowBits: least(clientBits, limit),
  };
}

/** What is wrong with a response to this offer; undefined if it fits. */
export function faultOfResponse(
  response: DeflateParams,
  offered: DeflateParams,
): string | undefined {
  const { serverMaxWindowBits: server, clientMaxWindowBits: client } = response;
  // RFC 7692 §7.1.1.1, §7.1.2.1: what was asked of the server must be in the response.
  if (offered.serverNoContextTakeover && !response.serverNoContextTakeover) {
    return "server_no_context_takeover is missing";
  }
  if (offered.serverMaxWindowBits !== undefined) {
    if (server === undefined) return "server_max_window_bits is missing";
    if (server > offered.serverMaxWindowBits) {
      return `server_max_window_bits is ${server}, more than the ${offered.serverMaxWindowBits} offered`;
    }
  }
  // RFC 7692 §7.1.2.2.
  if (client === undefined) return undefined;
  if (client === true) return "client_max_window_bits has no value";
  if (offered.clientMaxWindowBits === undefined) return "client_max_window_bits was not offered";
  if (offered.clientMaxWindowBits !== true && client > offered.clientMaxWindowBits) {
    return `client_max_window_bits is ${client}, more than the ${offered.clientMaxWindowBits} offered`;
  }
  return undefined;
}

/** What both ends do now. `offered` is what our own client limits itself to. */
export function agreedDeflate(response: DeflateParams, offered = response): DeflateAgreement {
  const { clientMaxWindowBits: limit = offered.clientMaxWindowBits } = response;
  return Object.freeze({
    serverNoContextTakeover: response.serverNoContextTakeover,
    clientNoContextTakeover: response.clientNoContextTakeover || offered.clientNoContextTakeover,
    serverMaxWindowBits: response.serverMaxWindowBits ?? MAX_WINDOW_BITS,
    clientMaxWindowBits: typeof limit === "number" ? limit : MAX_WINDOW_BITS,
  });
}

function flag(value: Value): true | undefined {
  return value === true ? value : undefined;
}

// RFC 7692 §7.1.2: 8 to 15, in decimal without leading zeros.
function windowBits(value: Value): number | undefined {
  return value !== true && /^(?:[89]|1[0-5])$/.test(value) ? Number(value) : undefined;
}

function least(a: number | undefined, b: number | undefined): number | undefined {
  if (a === undefined || b === undefined) return a ?? b;
  return Math.min(a, b);
}
