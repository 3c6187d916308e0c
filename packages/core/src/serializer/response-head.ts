// bytes ← [response head] ← events: checked whole, then text

import { LocalProtocolError } from "../base/errors.ts";
import { inWords } from "../base/options.ts";
import { faultOfValue, illegalIn, isFieldValue, isReason, isTextOctet } from "../base/tokens.ts";
import type { BodyLength, RequestEvent, ResponseEvent, ResponseToSend } from "../message/events.ts";
import { type Facts, hasFraming, inspect } from "../message/facts.ts";
import { endToEnd } from "../message/forwarding.ts";
import {
  CHUNKED,
  declaredFraming,
  type Framing,
  NO_BODY,
  UNTIL_CLOSE,
} from "../message/framing.ts";
import { type Headers, headersToSend } from "../message/headers.ts";
import { type Answer, answerTo, opensTunnel, type Proposal } from "../message/switching.ts";
import type { Version } from "../message/version.ts";
import {
  checkAgreement,
  checkBodyLength,
  checkUpgrade,
  fieldLines,
  framingFault,
  framingLine,
} from "./head-checks.ts";
import { answers, Prepared, type PreparedParts } from "./prepared.ts";
import { reasonOf } from "./reasons.ts";

/**
 * Checks a response head and makes its text; returns `before` if that was made from the same.
 *
 * @throws {LocalProtocolError} for anything RFC 9110 or 9112 does not let a server send.
 */
export function prepareResponse(
  event: ResponseToSend,
  request: RequestEvent,
  before?: Prepared,
): Prepared<ResponseEvent> {
  // Read once, so that what is checked is what is written.
  const { type, status, reason, date, bodyLength, headers } = event;
  const past = before?.parts;
  const lines = headersToSend(headers, past?.source.headers);
  const source = { type, status, reason, date, bodyLength, headers: lines };
  if (past === undefined || !isMadeFrom(past, source, request))
    return makeResponse(source, request);
  return before as Prepared<ResponseEvent>;
}

/** A response whose parts have been read once. */
type Source = ResponseToSend & { readonly headers: Headers };

function isMadeFrom(
  { head, source: past, request: answered }: PreparedParts<RequestEvent | ResponseEvent>,
  { type, status, reason, date, bodyLength, headers }: Source,
  request: RequestEvent,
): boolean {
  return (
    head.type !== "request" &&
    past.type !== "request" &&
    past.type === type &&
    headers === past.headers &&
    status === past.status &&
    bodyLength === past.bodyLength &&
    date === past.date &&
    reason === past.reason &&
    answers(head, answered, request)
  );
}

function makeResponse(source: Source, request: RequestEvent): Prepared<ResponseEvent> {
  const { type, status, headers } = source;
  const reason = String(source.reason ?? reasonOf(status));
  const date = source.date === undefined ? undefined : String(source.date);
  checkStart(type, status, reason, date, request);
  const facts = inspect(headers);
  // RFC 9110 §15.5.22: a 426 must name protocols in Upgrade. The connection option is easily
  // forgotten, so it is added.
  if (status === 426 && facts.upgrade === undefined) {
    throw new LocalProtocolError("INVALID_UPGRADE", "426 without Upgrade");
  }
  const addsOption = status === 426 && !facts.connectionUpgrade;
  checkUpgrade("1.1", facts, addsOption);
  const answer = answerTo(request.proposal, status, "1.1", facts);
  if (answer === "invalid") throw invalidSwitch(request.proposal, facts);
  const framing = frame(source, request, facts);
  let added = addedFraming(status, facts, framing);
  if (date !== undefined && !facts.date) added += `Date: ${date}\r\n`;
  if (addsOption) added += "Connection: Upgrade\r\n";
  // An interim response ends nothing, but a close in it would make clients close the connection.
  const sent = type === "interim-response" ? endToEnd(headers) : headers;
  const lines = `HTTP/1.1 ${status} ${reason}\r\n${fieldLines(sent)}${added}`;
  const { method, version, proposal } = request;
  const { text, lastText } = ended(lines, version, answer, facts);
  return new Prepared({
    head: { type, status, reason, version: "1.1", headers: sent, framing: framing.sent },
    source,
    text,
    lastText,
    persists: persistsAfter(method, answer, facts, framing.sent),
    answer,
    request: { method, version, proposal },
  });
}

// Nothing is added to a switch, which ends HTTP by itself, nor to an interim response, which ends
// nothing.
function ended(lines: string, version: Version, answer: Answer, facts: Facts) {
  const plain = `${lines}\r\n`;
  if (answer !== "refused") return { text: plain, lastText: plain };
  const isOld = version === "1.0" && !facts.keepAlive;
  return {
    text: isOld ? `${lines}Connection: keep-alive\r\n\r\n` : plain,
    lastText: facts.close ? plain : `${lines}Connection: close\r\n\r\n`,
  };
}

function checkStart(
  type: ResponseToSend["type"],
  status: number,
  reason: string,
  date: string | undefined,
  request: RequestEvent,
): void {
  checkStatus(type, status, request);
  if (date !== undefined && !isFieldValue(date)) {
    throw new LocalProtocolError("INVALID_HEADER", `Date ${faultOfValue(date)}`);
  }
  if (!isReason(reason)) {
    throw new LocalProtocolError("INVALID_REASON", illegalIn(reason, isTextOctet));
  }
}

function checkStatus(type: ResponseToSend["type"], status: number, request: RequestEvent): void {
  const interim = type === "interim-response";
  const wrongKind = interim ? status > 199 || status === 101 : status < 200 && status !== 101;
  if (!Number.isInteger(status) || status < 100 || status > 999 || wrongKind) {
    throw new LocalProtocolError("INVALID_STATUS", `${type} ${inWords(status)}`);
  }
  // RFC 9110 §15.2: no 1xx to an HTTP/1.0 client, which would take it for the final response.
  if (status < 200 && request.version === "1.0") {
    throw new LocalProtocolError("INVALID_STATUS", `${status} to HTTP/1.0`);
  }
}

function invalidSwitch(proposal: Proposal | undefined, facts: Facts): LocalProtocolError {
  if (proposal?.kind !== "upgrade") return new LocalProtocolError("NO_PROPOSAL");
  if (facts.upgrade === undefined) {
    return new LocalProtocolError("INVALID_UPGRADE", "101 without Upgrade");
  }
  return new LocalProtocolError("NOT_OFFERED", "in Upgrade");
}

interface ResponseFraming {
  /** The framing of what is sent. */
  readonly sent: Framing;
  /** The framing that the head declares, even if no body is sent, as to HEAD. */
  readonly declared: Framing | undefined;
}

function frame(
  { status, bodyLength }: Source,
  request: RequestEvent,
  facts: Facts,
): ResponseFraming {
  checkBodyLength(bodyLength);
  const declared = declaredFraming("1.1", facts);
  if (declared !== undefined && "remote" in declared) throw framingFault(declared);
  if (declared?.kind === "until-close") {
    throw new LocalProtocolError("INVALID_FRAMING", "a transfer coding other than chunked");
  }
  if (declared?.kind === "chunked" && request.version === "1.0") {
    throw new LocalProtocolError("INVALID_FRAMING", "chunked to HTTP/1.0");
  }
  const empty = bodyLength === undefined || bodyLength === 0;
  if (isUnframed(status, request.method)) {
    // RFC 9110 §8.6, RFC 9112 §6.1: neither framing field in 1xx, 204 and 2xx to CONNECT.
    const zero205 = status === 205 && declared?.kind === "content-length" && declared.length === 0;
    if (declared !== undefined && !zero205) {
      throw new LocalProtocolError("INVALID_FRAMING", `${status} has no body`);
    }
    if (!empty) throw new LocalProtocolError("BODY_NOT_ALLOWED", String(status));
    return { sent: NO_BODY, declared: undefined };
  }
  if (status === 304) {
    if (!empty) throw new LocalProtocolError("BODY_NOT_ALLOWED", "304");
    return { sent: NO_BODY, declared: undefined };
  }
  const framing = declared ?? undeclared(bodyLength, request.version);
  if (request.method !== "HEAD" || bodyLength !== 0) checkAgreement(framing, bodyLength);
  // RFC 9110 §9.3.2: the head is that of the response to a GET; the body is not sent.
  if (request.method !== "HEAD") return { sent: framing, declared: framing };
  // A zero need not be the length of the response to a GET (RFC 9110 §8.6).
  return { sent: NO_BODY, declared: bodyLength === 0 ? undefined : framing };
}

function undeclared(bodyLength: BodyLength | undefined, version: Version): Framing {
  if (typeof bodyLength === "number") return { kind: "content-length", length: bodyLength };
  return bodyLength === "unknown" && version === "1.1" ? CHUNKED : UNTIL_CLOSE;
}

function isUnframed(status: number, method: string): boolean {
  return status < 200 || status === 204 || status === 205 || opensTunnel(method, status);
}

function persistsAfter(method: string, answer: Answer, facts: Facts, sent: Framing): boolean {
  if (facts.close || sent.kind === "until-close") return false;
  // RFC 9931 §8: bytes after a CONNECT were meant for the tunnel; they are not the next request.
  return !(method === "CONNECT" && answer === "refused");
}

function addedFraming(status: number, facts: Facts, { declared }: ResponseFraming): string {
  if (hasFraming(facts)) return "";
  if (status === 205) return "Content-Length: 0\r\n";
  return declared === undefined ? "" : framingLine(declared);
}
