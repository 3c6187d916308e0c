// bytes ← [request head] ← events: checked whole, then text

import { LocalProtocolError } from "../base/errors.ts";
import { faultOfToken, isToken, listMembers } from "../base/tokens.ts";
import type { RequestEvent, RequestToSend } from "../message/events.ts";
import { expectationsOf, type Facts, hasFraming, inspect } from "../message/facts.ts";
import { CHUNKED, type Framing, isEmpty, NO_BODY, requestFraming } from "../message/framing.ts";
import { type Headers, headersToSend } from "../message/headers.ts";
import { persists } from "../message/persistence.ts";
import { proposalOf } from "../message/switching.ts";
import { faultOfHost, faultOfTarget } from "../message/target.ts";
import type { Version } from "../message/version.ts";
import {
  checkAgreement,
  checkBodyLength,
  checkUpgrade,
  fieldLines,
  framingFault,
  framingLine,
} from "./head-checks.ts";
import { Prepared, type PreparedParts } from "./prepared.ts";

// RFC 9110 §8.6: these send Content-Length even without content.
const ANTICIPATES_CONTENT = new Set(["POST", "PUT", "PATCH"]);

/**
 * Checks a request head and makes its text; returns `before` if that was made from the same.
 *
 * @throws {LocalProtocolError} for anything RFC 9110 or 9112 does not let a client send.
 */
export function prepareRequest(event: RequestToSend, before?: Prepared): Prepared<RequestEvent> {
  // Read once, so that what is checked is what is written.
  const { type, method, target, version, headers, bodyLength } = event;
  const past = before?.parts.source;
  const source = {
    type,
    // A missing one must not become "undefined", which is a token.
    method: String(method ?? ""),
    target: String(target ?? ""),
    version: version ?? "1.1",
    headers: headersToSend(headers, past?.headers),
    bodyLength,
  };
  if (past === undefined || !isMadeFrom(past, source)) return makeRequest(source);
  return before as Prepared<RequestEvent>;
}

/** A request whose parts have been read once. */
type Source = RequestToSend & { readonly version: Version; readonly headers: Headers };

function isMadeFrom(
  past: PreparedParts<unknown>["source"],
  { method, target, version, headers, bodyLength }: Source,
): boolean {
  return (
    past.type === "request" &&
    headers === past.headers &&
    target === past.target &&
    method === past.method &&
    version === past.version &&
    bodyLength === past.bodyLength
  );
}

function makeRequest(source: Source): Prepared<RequestEvent> {
  const { method, target, version, headers } = source;
  const facts = inspect(headers);
  checkStart(method, target, version);
  const badHost = faultOfHost(version, facts);
  if (badHost !== undefined) throw new LocalProtocolError("INVALID_HOST", badHost);
  checkUpgrade(version, facts);
  checkTe(facts);
  const framing = frame(source, facts);
  // RFC 9110 §10.1.1: a client without content must not send Expect: 100-continue.
  if (facts.expect !== undefined && isEmpty(framing)) {
    throw new LocalProtocolError("INVALID_HEADER", "Expect without a body");
  }
  const framed = addedFraming(framing, source, facts);
  // RFC 9112 §7.1.2: no trailers with a Content-Length, even if it is added here.
  if (facts.trailer && framed.startsWith("Content-Length")) {
    throw new LocalProtocolError("INVALID_FRAMING", "TRAILER_WITH_LENGTH");
  }
  const proposal = proposalOf(method, target, version, facts);
  const expectsContinue = version === "1.1" && expectationsOf(facts).has("100-continue");
  const lines = `${method} ${target} HTTP/${version}\r\n${fieldLines(headers)}${framed}`;
  return new Prepared({
    head: { type: "request", method, target, version, headers, framing, proposal, expectsContinue },
    source,
    text: `${lines}\r\n`,
    lastText: facts.close ? `${lines}\r\n` : `${lines}Connection: close\r\n\r\n`,
    persists: persists(version, facts),
  });
}

function checkStart(method: string, target: string, version: Version): void {
  if (!isToken(method)) {
    throw new LocalProtocolError("INVALID_METHOD", `it ${faultOfToken(method)}`);
  }
  if (version !== "1.1" && version !== "1.0") {
    throw new LocalProtocolError("INVALID_OPTION", "version is neither 1.1 nor 1.0");
  }
  const badTarget = faultOfTarget(method, target);
  if (badTarget !== undefined) throw new LocalProtocolError("INVALID_TARGET", badTarget);
}

// RFC 9110 §10.1.4: TE is for one hop, hence its option; every recipient accepts chunked anyway.
function checkTe(facts: Facts): void {
  if (facts.te === undefined) return;
  if (!facts.connectionTe) {
    throw new LocalProtocolError("INVALID_HEADER", "TE without Connection: TE");
  }
  if (listMembers(facts.te.toLowerCase()).some((member) => /^chunked[\t ]*(?:;|$)/.test(member))) {
    throw new LocalProtocolError("INVALID_HEADER", "chunked in TE");
  }
}

function frame({ method, version, bodyLength }: Source, facts: Facts): Framing {
  const framing = requestFraming(method, version, facts);
  if ("remote" in framing) throw framingFault(framing);
  checkBodyLength(bodyLength);
  if (method === "CONNECT" && bodyLength !== undefined && bodyLength !== 0) {
    throw new LocalProtocolError("BODY_NOT_ALLOWED", "CONNECT");
  }
  if (method === "TRACE" && (framing.kind !== "none" || (bodyLength ?? 0) !== 0)) {
    // RFC 9110 §9.3.8: the response echoes the request, which would expose its body.
    throw new LocalProtocolError("BODY_NOT_ALLOWED", "TRACE");
  }
  if (hasFraming(facts)) {
    checkAgreement(framing, bodyLength);
    return framing;
  }
  if (bodyLength === "unknown") {
    // RFC 9112 §6.1: HTTP/1.0 has no transfer codings, and a request cannot end with the connection.
    if (version === "1.0")
      throw new LocalProtocolError("INVALID_FRAMING", "HTTP/1.0 and no length");
    return CHUNKED;
  }
  if (bodyLength === undefined || bodyLength === 0) return NO_BODY;
  return { kind: "content-length", length: bodyLength };
}

function addedFraming(framing: Framing, { method, bodyLength }: Source, facts: Facts): string {
  if (hasFraming(facts)) return "";
  const isAnticipated = bodyLength === 0 && ANTICIPATES_CONTENT.has(method);
  return isAnticipated ? "Content-Length: 0\r\n" : framingLine(framing);
}
