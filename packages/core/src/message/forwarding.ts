// bytes → parser → headers → [what an intermediary forwards] → serializer → bytes (RFC 9110 §7.6.1)

import { CODES } from "../base/codes.ts";
import {
  ConnectionError,
  LocalProtocolError,
  RemoteProtocolError,
  UpgradeError,
} from "../base/errors.ts";
import { listMembers } from "../base/tokens.ts";
import { checkedHeaders, Headers, linesIn } from "./headers.ts";
import { NEVER_A_TRAILER } from "./trailer-names.ts";

// Fields for one connection (RFC 9110 §7.6.1), dropped even if Connection does not name them.
const HOP_BY_HOP = new Set([
  "connection",
  "keep-alive",
  "proxy-connection",
  "te",
  "transfer-encoding",
  "upgrade",
  "http2-settings", // RFC 7540 §3.2.1: used with Upgrade: h2c
  "proxy-authenticate",
  "proxy-authorization",
]);

// RFC 9110 §7.6.1: a field that is meant for every recipient is never a connection option. Attackers
// name these to make a proxy strip what the origin relies on.
const NEVER_HOP_BY_HOP = new Set([
  "host",
  "content-length",
  "content-type",
  "content-encoding",
  "content-range",
  "cache-control",
  "authorization",
  "cookie",
  "set-cookie",
  "forwarded",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "via",
]);

/**
 * The fields an intermediary forwards: all but Connection, the fields it names, and those that are
 * known to be for one connection only (RFC 9110 §7.6.1), `HTTP2-Settings` among them. `Expect`
 * without a body and `Trailer` without chunks are dropped too, since they announce nothing.
 * Connection cannot remove a field that is meant for every recipient: `Host`, `Content-Length`,
 * `Content-Type`, `Content-Encoding`, `Content-Range`, `Cache-Control`, `Authorization`, `Cookie`,
 * `Set-Cookie`, `Forwarded`, `X-Forwarded-For`, `-Host` and `-Proto`, `Via`. Add fields of your own
 * to the result, so that a client cannot remove them either.
 *
 * @param protocols The protocols a proposal, a 101 or a 426 may name, as in `["websocket"]`;
 *   compared whole, ignoring case. `Upgrade` keeps only these, with `Connection: Upgrade`, and is
 *   dropped if none is left. Default, and `false`: none.
 * @throws {LocalProtocolError} `INVALID_OPTION` if `protocols` is neither; `INVALID_HEADERS` if
 *   `received` is not headers.
 */
export function endToEnd(received: Headers, protocols: readonly string[] | false = []): Headers {
  if (protocols !== false && !isListOfNames(protocols)) {
    throw new LocalProtocolError("INVALID_OPTION", 'protocols is a list, such as ["websocket"]');
  }
  const headers = Headers.from(received);
  const named = new Set<string>();
  for (const value of Headers.prototype.getAll.call(headers, "connection")) {
    for (const option of listMembers(value)) named.add(option.toLowerCase());
  }
  // An Upgrade that Connection does not name is not a proposal, and must not become one.
  const allowed =
    named.has("upgrade") && protocols !== false ? protocols.map((one) => one.toLowerCase()) : [];
  const kept: string[] = [];
  let proposes = false;
  const lines = linesIn(headers);
  for (let i = 0; i < lines.length; i++) {
    const name = lines.nameAt(i);
    const value = lines.valueAt(i);
    const lower = name.toLowerCase();
    if (announcesNothing(lower, headers)) continue;
    if (lower === "upgrade") {
      const upgrade = onlyAllowed(value, allowed);
      if (upgrade === "") continue;
      proposes = true;
      kept.push(name, upgrade);
    } else if (!HOP_BY_HOP.has(lower) && (!named.has(lower) || NEVER_HOP_BY_HOP.has(lower))) {
      kept.push(name, value);
    }
  }
  return checkedHeaders(proposes ? ["Connection", "Upgrade", ...kept] : kept);
}

/**
 * The trailers an intermediary forwards: without fields that no trailer section may have (RFC 9110
 * §6.5.1), `Content-Length` and `Connection` among them.
 *
 * @throws {LocalProtocolError} `INVALID_HEADERS` if `received` is not headers.
 */
export function endToEndTrailers(received: Headers): Headers {
  const lines = linesIn(Headers.from(received));
  const kept: string[] = [];
  for (let i = 0; i < lines.length; i++) {
    const name = lines.nameAt(i);
    if (!NEVER_A_TRAILER.has(name.toLowerCase())) kept.push(name, lines.valueAt(i));
  }
  return checkedHeaders(kept);
}

function isListOfNames(protocols: unknown): boolean {
  return Array.isArray(protocols) && protocols.every((one) => typeof one === "string");
}

// RFC 9110 §10.1.1: a client without content must not send Expect; RFC 9112 §7.1.2: trailers follow
// only chunks. The next recipient cannot check this, since Transfer-Encoding is not forwarded.
function announcesNothing(name: string, headers: Headers): boolean {
  if (name !== "expect" && name !== "trailer") return false;
  const get = (field: string) => Headers.prototype.get.call(headers, field);
  if (get("transfer-encoding") !== undefined) return false;
  return name === "trailer" || Number(get("content-length") ?? 0) === 0;
}

// The allowed members of an Upgrade list, spelled as they are there.
function onlyAllowed(list: string, allowed: readonly string[]): string {
  if (allowed.length === 0) return "";
  return listMembers(list)
    .filter((member) => allowed.includes(member.toLowerCase()))
    .join(", ");
}

/**
 * The status a gateway answers with when its request to the next server has failed: 502 (RFC 9110
 * §15.6.3) for a `ConnectionError` or a `RemoteProtocolError`, 504 (§15.6.5) if the error, or one of
 * its causes, is a deadline or a timeout, and 500 for anything else.
 */
export function gatewayStatus(error: unknown): 500 | 502 | 504 {
  if (!(error instanceof ConnectionError || error instanceof RemoteProtocolError)) return 500;
  try {
    return isTimeout(error) ? 504 : 502;
  } catch {
    // A cause may be anything; reading it may throw.
    return 502;
  }
}

function isTimeout(error: unknown, depth = 0): boolean {
  if (!(error instanceof Error) || depth > 8) return false;
  if (error instanceof UpgradeError && CODES[error.code].gateway === 504) return true;
  // AbortSignal.timeout(), and a timeout of the operating system.
  if (error.name === "TimeoutError" || (error as { code?: unknown }).code === "ETIMEDOUT")
    return true;
  return isTimeout(error.cause, depth + 1);
}
