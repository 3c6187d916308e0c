// bytes → parser → events → [framing] → connection: where a message ends (RFC 9112 §6.3)

import type { LocalCode, RemoteCode } from "../base/errors.ts";
import { illegalIn, isToken, trimWhiteSpace } from "../base/tokens.ts";
import { type Facts, hasFraming } from "./facts.ts";
import { opensTunnel } from "./switching.ts";
import type { Version } from "./version.ts";

/** How the end of the body is determined. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "content-length"; readonly length: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until-close" };

export const NO_BODY: Framing = { kind: "none" };
export const CHUNKED: Framing = { kind: "chunked" };
export const UNTIL_CLOSE: Framing = { kind: "until-close" };

/** The length of the body, if its head says it. */
export function knownLength(framing: Framing): number | undefined {
  if (framing.kind === "content-length") return framing.length;
  return framing.kind === "none" ? 0 : undefined;
}

/** Whether the message is known to have no content. */
export function isEmpty(framing: Framing): boolean {
  return knownLength(framing) === 0;
}

/** A rule that the framing fields break, with the error for either end. */
export interface FramingFault {
  readonly remote: RemoteCode;
  readonly local: LocalCode;
  readonly detail: string;
}

/** The framing of a request, or the rule its fields break. */
export function requestFraming(
  method: string,
  version: Version,
  facts: Facts,
): Framing | FramingFault {
  // RFC 9110 §9.3.6: content in a CONNECT request has no defined meaning, which attackers exploit.
  if (method === "CONNECT" && hasFraming(facts)) return fault("CONNECT_WITH_BODY");
  const framing = declaredFraming(version, facts);
  // RFC 9112 §6.3 rule 4: the end of a request is unknown unless its last coding is chunked.
  if (framing === UNTIL_CLOSE) return fault("UNKNOWN_TRANSFER_CODING");
  // RFC 9112 §7.1.2: only a chunked body has trailers. After any other they would be read as the
  // next request.
  if (facts.trailer && facts.contentLengths > 0) return fault("TRAILER_WITH_LENGTH");
  // RFC 9112 §6.3 rule 7.
  return framing ?? NO_BODY;
}

/** The framing of a response to `method`, or the rule its fields break. */
export function responseFraming(
  method: string,
  status: number,
  version: Version,
  facts: Facts,
): Framing | FramingFault {
  // RFC 9112 §6.3 rule 2: after a 2xx to CONNECT the tunnel begins, whatever the fields say.
  if (opensTunnel(method, status)) return NO_BODY;
  const framing = declaredFraming(version, facts);
  if (framing !== undefined && "remote" in framing) return framing;
  // RFC 9112 §6.3 rule 1: these end with their head, a 101 too, whatever their fields say.
  if (method === "HEAD" || status < 200 || status === 204 || status === 304) return NO_BODY;
  // RFC 9112 §6.3 rule 8.
  return framing ?? UNTIL_CLOSE;
}

/** What the fields of any message declare; undefined if they declare nothing. */
export function declaredFraming(
  version: Version,
  facts: Facts,
): Framing | FramingFault | undefined {
  if (facts.transferEncodings > 0) {
    // RFC 9112 §6.1 lets a server repair this. A repair is a guess, and allows request smuggling.
    if (facts.contentLengths > 0) return fault("AMBIGUOUS_FRAMING");
    if (version === "1.0") return fault("BAD_TRANSFER_ENCODING", "in HTTP/1.0");
    return codingFraming(facts.transferEncoding);
  }
  if (facts.contentLengths === 0) return undefined;
  const length = facts.length ?? lengthOf(facts.contentLength);
  if (length === undefined) return fault("BAD_CONTENT_LENGTH", faultOfLength(facts));
  return { kind: "content-length", length };
}

// One line, one number: the RFC allows collapsing "5, 5", but no one needs it.
function lengthOf(text: string): number | undefined {
  const length = /^[0-9]+$/.test(text) ? Number(text) : NaN;
  return Number.isSafeInteger(length) ? length : undefined;
}

function faultOfLength({ contentLengths, contentLength }: Facts): string {
  if (contentLengths > 1) return `there are ${contentLengths} lines of it`;
  if (contentLength === "") return "it is empty";
  const illegal = illegalIn(contentLength, (octet) => octet >= 0x30 && octet <= 0x39);
  return illegal === undefined ? "it is too large" : `it has ${illegal}`;
}

// RFC 9112 §6.1: chunked is applied once and last; §7: codings are case-insensitive.
function codingFraming(value: string): Framing | FramingFault {
  // Other lists skip empty members. Here one is an empty line or a stray comma, which another
  // recipient may read differently.
  const codings = value.toLowerCase().split(",").map(trimWhiteSpace);
  const at = codings.indexOf("chunked");
  if (codings.length === 1 && at === 0) return CHUNKED;
  const last = at === -1 || at === codings.length - 1;
  if (!last || !codings.every(isToken)) {
    return fault("BAD_TRANSFER_ENCODING");
  }
  // `gzip, chunked`: the end is known, but nothing here decodes gzip, and no TE asked for it.
  return at === -1 ? UNTIL_CLOSE : fault("UNKNOWN_TRANSFER_CODING");
}

function fault(remote: RemoteCode, detail = ""): FramingFault {
  return { remote, local: "INVALID_FRAMING", detail };
}
