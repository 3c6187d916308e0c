// bytes → parser → events → [target] → connection: the request target and Host (RFC 9112 §3.2)

import { illegalIn, octetName } from "../base/tokens.ts";
import type { Facts } from "./facts.ts";
import { ipv6Octets } from "./ip-address.ts";
import type { Version } from "./version.ts";

// RFC 3986 §3.2.2: reg-name or an IP literal; octets outside it are percent-encoded.
const REG_NAME = "(?:[A-Za-z0-9\\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})";
const IP_LITERAL = "\\[(?:([0-9A-Fa-f:.]+)|[vV][0-9A-Fa-f]+\\.[A-Za-z0-9\\-._~!$&'()*+,;=:]+)\\]";

const IN_HOST = /[A-Za-z0-9\-._~!$&'()*+,;=:%[\]]/;
// Nearly every Host, for which the whole grammar takes longer.
const PLAIN_HOST = /^[A-Za-z0-9.-]+(?::[0-9]*)?$/;
const HOST = new RegExp(`^(?:${REG_NAME}+|${IP_LITERAL})(?::([0-9]*))?$`);
const AUTHORITY = new RegExp(`^(?:${REG_NAME}+|${IP_LITERAL}):([0-9]{1,5})$`);

// The octets of a path and a query: visible ASCII except `"`, `#`, `<` and `>`. RFC 3986 §3.3, §3.4
// require more to be percent-encoded, but the URL standard, and so every browser, leaves
// `[ ] { } | ^ \ \`` and a lone `%` alone. A fragment is never sent (RFC 9110 §4.2.5).
const PATH_OR_QUERY = "[!$-;=?-~]*";
const ORIGIN_FORM = new RegExp(`^/${PATH_OR_QUERY}$`);
const ABSOLUTE_FORM = new RegExp(
  `^[A-Za-z][A-Za-z0-9+\\-.]*://(?:${REG_NAME}+|${IP_LITERAL})(?::([0-9]*))?(?:[/?]${PATH_OR_QUERY})?$`,
);
const NOT_IN_TARGET = /[^!$-;=?-~]/;

// Checks what the patterns do not: the IPv6 address, if any, and the port.
function isSound(match: RegExpExecArray | null): match is RegExpExecArray {
  return hasSoundAddress(match) && isPort(match[2]);
}

function hasSoundAddress(match: RegExpExecArray | null): match is RegExpExecArray {
  return match !== null && (match[1] === undefined || ipv6Octets(match[1]) !== undefined);
}

/** A TCP port has 16 bits; an empty one means the scheme's default. */
function isPort(text: string | undefined): boolean {
  return text === undefined || text === "" || Number(text) <= 65_535;
}

/** Host = uri-host [":" port], or empty (RFC 9110 §7.2). The port may be any digits. */
export function isHost(value: string): boolean {
  return value === "" || PLAIN_HOST.test(value) || hasSoundAddress(HOST.exec(value));
}

/**
 * What is wrong with the Host lines by RFC 9112 §3.2: exactly one in HTTP/1.1, never two, never a
 * malformed one. Undefined if nothing is.
 */
export function faultOfHost(version: Version, facts: Facts): string | undefined {
  const missing = version === "1.1" && facts.hosts === 0;
  if (!missing && facts.hosts <= 1 && isHost(facts.host)) return undefined;
  if (facts.hosts === 0) return "there is none";
  if (facts.hosts !== 1) return `there are ${facts.hosts} lines of it`;
  const illegal = illegalIn(facts.host, (octet) => IN_HOST.test(String.fromCharCode(octet)));
  return illegal === undefined ? "its form is wrong" : `it has ${illegal}`;
}

/** host ":" port with a port from 1 to 65535, as CONNECT requires (RFC 9110 §9.3.6). */
export function isAuthority(target: string): boolean {
  const match = AUTHORITY.exec(target);
  return isSound(match) && Number(match[2]) >= 1;
}

/**
 * What is wrong with a target: an octet that is not allowed, or a form that its method does not
 * allow. Undefined if nothing is. A target is never repaired (RFC 9112 §3.2).
 */
export function faultOfTarget(method: string, target: string): string | undefined {
  if (target === "") return "it is empty";
  // RFC 9112 §3.2.3: the authority form is for CONNECT only, and the only form CONNECT has.
  if (method === "CONNECT") {
    return isAuthority(target) ? undefined : "CONNECT takes host:port, with a port from 1 to 65535";
  }
  // RFC 9112 §3.2.4: the asterisk form is for OPTIONS only.
  if (target === "*") return method === "OPTIONS" ? undefined : "* is for OPTIONS alone";
  if (ORIGIN_FORM.test(target) || isSound(ABSOLUTE_FORM.exec(target))) return undefined;
  const at = target.search(NOT_IN_TARGET);
  if (at !== -1) return faultOfOctet(target.charCodeAt(at), at);
  return 'it is neither a path that begins with "/" nor scheme://host[:port]/path without a user';
}

/** Whether a path or a query may have this octet; no form of a target has any other. */
export function isTargetOctet(octet: number): boolean {
  const isVisible = octet > 0x20 && octet < 0x7f;
  return isVisible && octet !== 0x22 && octet !== 0x23 && octet !== 0x3c && octet !== 0x3e;
}

/** What is wrong with an octet at `at` that a target cannot have. */
export function faultOfOctet(octet: number, at: number): string {
  const remedy = octet === 0x23 ? "a fragment is not sent" : "percent-encode it";
  return `${octetName(octet)} at ${at} is not allowed; ${remedy}`;
}
