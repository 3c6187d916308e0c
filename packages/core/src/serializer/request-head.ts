// bytes ← [request head] ← events: checked whole, then text

import { LocalProtocolError } from "../errors.ts";
import type { RequestToSend, Version } from "../events.ts";
import { expectationsOf, type Facts, hasFraming, inspect } from "../facts.ts";
import { CHUNKED, type Framing, isEmpty, NO_BODY, requestFraming } from "../framing.ts";
import { type Headers, headersToSend } from "../headers.ts";
import { type Proposal, proposalOf } from "../switching.ts";
import { faultOfHost, faultOfTarget } from "../target.ts";
import { faultOfToken, isToken, listMembers } from "../tokens.ts";
import {
  checkAgreement,
  checkBodyLength,
  checkUpgrade,
  fieldLines,
  framingFault,
  framingLine,
} from "./head-checks.ts";
import { recallRequest, rememberRequest } from "./head-memo.ts";

/** A request's head that may be written as it is. */
export interface CheckedRequest {
  readonly text: string;
  readonly method: string;
  readonly version: Version;
  readonly facts: Facts;
  readonly framing: Framing;
  readonly proposal: Proposal | undefined;
  readonly expectsContinue: boolean;
}

// RFC 9110 §8.6: these say how long their content is, even where there is none.
const ANTICIPATES_CONTENT = new Set(["POST", "PUT", "PATCH"]);

/**
 * Checks a request's head and makes its text.
 *
 * @param close Add `Connection: close` unless it stands there.
 * @throws {LocalProtocolError} for anything RFC 9110 or 9112 does not let a client send.
 */
export function checkRequest(event: RequestToSend, close: boolean): CheckedRequest {
  // Read once: what is checked is what is written.
  const { type, method, target, version, headers, bodyLength } = event;
  const said = {
    type,
    method,
    target,
    version: version ?? "1.1",
    headers: headersToSend(headers),
    bodyLength,
  };
  return recallRequest(said, close) ?? makeRequest(said, close);
}

/** A request, each part of it read once. */
export interface SaidRequest extends RequestToSend {
  readonly version: Version;
  readonly headers: Headers;
}

function makeRequest(event: SaidRequest, close: boolean): CheckedRequest {
  const { version, headers } = event;
  // One that is left out is not called "undefined", which would be a token.
  const method = String(event.method ?? "");
  const target = String(event.target ?? "");
  if (!isToken(method))
    throw new LocalProtocolError("INVALID_METHOD", `it ${faultOfToken(method)}`);
  if (version !== "1.1" && version !== "1.0") {
    throw new LocalProtocolError("INVALID_OPTION", "version is neither 1.1 nor 1.0");
  }
  const badTarget = faultOfTarget(method, target);
  if (badTarget !== undefined) throw new LocalProtocolError("INVALID_TARGET", badTarget);
  const facts = inspect(headers);
  const badHost = faultOfHost(version, facts);
  if (badHost !== undefined) throw new LocalProtocolError("INVALID_HOST", badHost);
  checkUpgrade(version, facts);
  checkTe(facts);
  const framing = frame(event, method, version, facts);
  // RFC 9110 §10.1.1: a client that has no content must not ask whether it may send it.
  if (facts.expect !== undefined && isEmpty(framing)) {
    throw new LocalProtocolError("INVALID_HEADER", "Expect without a body");
  }
  const framed = addedFraming(framing, method, event, facts);
  // RFC 9112 §7.1.2: a length that we add leaves no more room for trailers than one that was given.
  if (facts.trailer && framed.startsWith("Content-Length")) {
    throw new LocalProtocolError("INVALID_FRAMING", "TRAILER_WITH_LENGTH");
  }
  const closing = close && !facts.close ? "Connection: close\r\n" : "";
  const text = `${method} ${target} HTTP/${version}\r\n${fieldLines(headers)}${framed}${closing}\r\n`;
  const proposal = proposalOf(method, version, facts);
  const expectsContinue = version === "1.1" && expectationsOf(facts).has("100-continue");
  const request = { text, method, version, facts, framing, proposal, expectsContinue };
  rememberRequest({ ...event, method, target }, close, request);
  return request;
}

// RFC 9110 §10.1.4: TE is for one hop, hence its option; every recipient takes chunked anyway.
function checkTe(facts: Facts): void {
  if (facts.te === undefined) return;
  if (!facts.connectionTe) {
    throw new LocalProtocolError("INVALID_HEADER", "TE without Connection: TE");
  }
  if (listMembers(facts.te.toLowerCase()).some((member) => /^chunked[\t ]*(?:;|$)/.test(member))) {
    throw new LocalProtocolError("INVALID_HEADER", "chunked in TE");
  }
}

function frame(event: RequestToSend, method: string, version: Version, facts: Facts): Framing {
  const framing = requestFraming(method, version, facts);
  if ("remote" in framing) throw framingFault(framing);
  const { bodyLength } = event;
  checkBodyLength(bodyLength);
  if (method === "CONNECT" && bodyLength !== undefined && bodyLength !== 0) {
    throw new LocalProtocolError("BODY_NOT_ALLOWED", "CONNECT");
  }
  if (method === "TRACE" && (framing.kind !== "none" || (bodyLength ?? 0) !== 0)) {
    // RFC 9110 §9.3.8: the answer repeats the request, and a body is not for every eye.
    throw new LocalProtocolError("BODY_NOT_ALLOWED", "TRACE");
  }
  if (hasFraming(facts)) {
    checkAgreement(framing, bodyLength);
    return framing;
  }
  if (bodyLength === "unknown") {
    // RFC 9112 §6.1: no transfer coding in HTTP/1.0, and a request cannot end with the connection.
    if (version === "1.0")
      throw new LocalProtocolError("INVALID_FRAMING", "HTTP/1.0 and no length");
    return CHUNKED;
  }
  if (bodyLength === undefined || bodyLength === 0) return NO_BODY;
  return { kind: "content-length", length: bodyLength };
}

function addedFraming(
  framing: Framing,
  method: string,
  event: RequestToSend,
  facts: Facts,
): string {
  if (hasFraming(facts)) return "";
  const isAnticipated = event.bodyLength === 0 && ANTICIPATES_CONTENT.has(method);
  return isAnticipated ? "Content-Length: 0\r\n" : framingLine(framing);
}
