// headers ↔ [WebSocket handshake] ↔ agreement: offer, accept, verify; no I/O

import { createHash, randomBytes } from "node:crypto";
import type { Headers } from "@upgrade/core";
import { extension, type ParsedParams, PerMessageDeflate, subprotocol } from "ws";

/** RFC 6455 §4.1: the only version. */
export const WEBSOCKET_VERSION = "13";

// RFC 6455 §1.3.
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// RFC 6455 §4.1: 16 bytes in base64.
const KEY = /^[+/0-9A-Za-z]{22}==$/;

type HeaderLines = [name: string, value: string][];

/** What both ends agreed on besides the switch. */
export interface Agreement {
  /** The subprotocol; empty if there is none. */
  readonly protocol: string;
  /** By name, as ws stores them. */
  readonly extensions: Readonly<Record<string, PerMessageDeflate>>;
}

/** What a client proposes. */
export interface Offer {
  readonly key: string;
  readonly protocol: string;
  readonly deflate: PerMessageDeflate | undefined;
  readonly headers: HeaderLines;
}

/** The server's 101, or a response that refuses. */
export type Answer =
  | { readonly accepted: true; readonly headers: HeaderLines; readonly agreement: Agreement }
  | {
      readonly accepted: false;
      readonly status: number;
      readonly headers: HeaderLines;
      readonly body: string;
    };

/** The server's response does not match the offer; the connection must be closed. */
export class HandshakeError extends Error {
  override readonly name = "HandshakeError";
}

/** Computes Sec-WebSocket-Accept for a key (RFC 6455 §4.2.2). */
export function acceptOf(key: string): string {
  return createHash("sha1").update(`${key}${GUID}`).digest("base64");
}

/** Returns the client's header lines, except Host, Connection and Upgrade. */
export function offer(options: {
  readonly protocol: string;
  readonly maxMessageBytes: number;
  readonly deflate?: boolean | undefined;
  /** Default: 16 random bytes. */
  readonly key?: string | undefined;
}): Offer {
  const { protocol, key = randomBytes(16).toString("base64") } = options;
  const headers: HeaderLines = [
    ["Sec-WebSocket-Version", WEBSOCKET_VERSION],
    ["Sec-WebSocket-Key", key],
    ["Sec-WebSocket-Protocol", protocol],
  ];
  if (options.deflate === false) return { key, protocol, deflate: undefined, headers };
  const deflate = new PerMessageDeflate({ isServer: false, maxPayload: options.maxMessageBytes });
  headers.push([
    "Sec-WebSocket-Extensions",
    extension.format({ [PerMessageDeflate.extensionName]: deflate.offer() }),
  ]);
  return { key, protocol, deflate, headers };
}

/**
 * Returns the server's response to a WebSocket request (RFC 6455 §4.2).
 *
 * `Origin` is not checked: clients may connect from any page. A server that identifies users by a
 * cookie must check it here, since browsers let any page open a WebSocket.
 */
export function accept(
  request: { readonly headers: Headers; readonly proposesWebSocket: boolean },
  options: { readonly protocol: string; readonly maxMessageBytes: number },
): Answer {
  const { headers } = request;
  if (!request.proposesWebSocket) return upgradeRequired("this server speaks websocket only\n");
  if (headers.get("sec-websocket-version") !== WEBSOCKET_VERSION) {
    return upgradeRequired(`Sec-WebSocket-Version must be ${WEBSOCKET_VERSION}\n`);
  }
  // Several keys are joined with a comma, and do not match.
  const key = headers.get("sec-websocket-key") ?? "";
  if (!KEY.test(key)) return badRequest("Sec-WebSocket-Key must be 16 bytes in base64");
  const offered = parsed(subprotocol.parse, headers.get("sec-websocket-protocol"));
  if (offered === MALFORMED) return badRequest("Sec-WebSocket-Protocol is malformed");
  const extensions = parsed(extension.parse, headers.get("sec-websocket-extensions"));
  if (extensions === MALFORMED) return badRequest("Sec-WebSocket-Extensions is malformed");

  const protocol = offered?.has(options.protocol) === true ? options.protocol : "";
  const deflate = acceptDeflate(extensions?.[PerMessageDeflate.extensionName] ?? [], options);
  const lines: HeaderLines = [["Sec-WebSocket-Accept", acceptOf(key)]];
  if (protocol !== "") lines.push(["Sec-WebSocket-Protocol", protocol]);
  if (deflate !== undefined) lines.push(["Sec-WebSocket-Extensions", agreedDeflate(deflate)]);
  return { accepted: true, headers: lines, agreement: { protocol, extensions: named(deflate) } };
}

/**
 * Verifies the server's 101 against the offer (RFC 6455 §4.1). The caller has checked that it is a
 * 101 to `websocket`.
 *
 * @throws {HandshakeError} Names the header that does not match the offer.
 */
export function verify(offered: Offer, headers: Headers): Agreement {
  const expected = acceptOf(offered.key);
  const got = headers.get("sec-websocket-accept");
  if (got !== expected) throw differs("Sec-WebSocket-Accept", expected, got);
  // A server that selects no subprotocol does not speak ours.
  const protocol = headers.get("sec-websocket-protocol");
  if (protocol !== offered.protocol) {
    throw differs("Sec-WebSocket-Protocol", offered.protocol, protocol);
  }
  const deflate = verifyDeflate(offered, headers.get("sec-websocket-extensions"));
  return { protocol, extensions: named(deflate) };
}

function verifyDeflate(offered: Offer, header: string | undefined): PerMessageDeflate | undefined {
  const extensions = parsed(extension.parse, header);
  if (extensions === undefined) return undefined;
  const { deflate } = offered;
  const name = PerMessageDeflate.extensionName;
  const wanted = deflate === undefined ? "no extension" : `at most ${name}, once`;
  if (extensions === MALFORMED || deflate === undefined || Object.keys(extensions).length !== 1) {
    throw differs("Sec-WebSocket-Extensions", wanted, header);
  }
  const answers = extensions[name] ?? [];
  try {
    if (answers.length === 1) deflate.accept(answers);
  } catch (cause) {
    throw differs("Sec-WebSocket-Extensions", wanted, header, cause);
  }
  if (answers.length !== 1) throw differs("Sec-WebSocket-Extensions", wanted, header);
  return deflate;
}

// RFC 7692 §5: offers are in the client's order of preference. An unsuitable one is declined, which
// does not refuse the WebSocket.
function acceptDeflate(
  offers: readonly ParsedParams[],
  options: { readonly maxMessageBytes: number },
): PerMessageDeflate | undefined {
  for (const one of offers) {
    // Without context takeover a connection needs no compression window, and short messages stay
    // uncompressed, so the trace can show them.
    const deflate = new PerMessageDeflate({
      isServer: true,
      maxPayload: options.maxMessageBytes,
      serverNoContextTakeover: true,
      clientNoContextTakeover: true,
    });
    try {
      deflate.accept([one]);
      return deflate;
    } catch {
      // Unknown or unsupported parameters: try the next offer.
    }
  }
  return undefined;
}

function agreedDeflate(deflate: PerMessageDeflate): string {
  return extension.format({ [PerMessageDeflate.extensionName]: [deflate.params ?? {}] });
}

function named(deflate: PerMessageDeflate | undefined): Agreement["extensions"] {
  return deflate === undefined ? {} : { [PerMessageDeflate.extensionName]: deflate };
}

// RFC 9110 §15.5.22, RFC 6455 §4.4: the refusal states what would be accepted.
function upgradeRequired(body: string): Answer {
  const headers: HeaderLines = [
    ["Connection", "Upgrade"],
    ["Upgrade", "websocket"],
    ["Sec-WebSocket-Version", WEBSOCKET_VERSION],
    ["Content-Type", "text/plain; charset=utf-8"],
  ];
  return { accepted: false, status: 426, headers, body };
}

function badRequest(reason: string): Answer {
  const headers: HeaderLines = [["Content-Type", "text/plain; charset=utf-8"]];
  return { accepted: false, status: 400, headers, body: `${reason}\n` };
}

const MALFORMED = Symbol("malformed");

function parsed<T>(
  parse: (header: string) => T,
  header: string | undefined,
): T | undefined | typeof MALFORMED {
  try {
    return header === undefined ? undefined : parse(header);
  } catch {
    return MALFORMED;
  }
}

function differs(
  name: string,
  expected: string,
  got: string | undefined,
  cause?: unknown,
): HandshakeError {
  const actual = got === undefined ? "nothing" : JSON.stringify(got);
  return new HandshakeError(`${name}: expected ${expected}, got ${actual}`, { cause });
}
