// bytes → llhttp → [audit] → head: every octet between llhttp's spans is one the grammar has there

import { type RemoteCode, RemoteProtocolError } from "../errors.ts";
import type { Version } from "../events.ts";
import { Headers } from "../headers.ts";
import { isReason, isToken, isWhiteSpace, quoted } from "../tokens.ts";
import {
  FIELD,
  INTS_PER_SPAN,
  type MessageKind,
  STATUS,
  tape,
  tapeLength,
  URL,
  VALUE,
} from "./llhttp-module.ts";

/** What bounds a head: a message's, or a trailer section's. */
export interface HeadLimits {
  readonly maxBytes: number;
  readonly tooLarge: RemoteCode;
  readonly maxFields: number;
  readonly tooMany: RemoteCode;
}

/** A head, cut. For a request `status` is 0, for a response `method` and `target` are empty. */
export interface Head {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: Headers;
}

const CR = 0x0d;
const LF = 0x0a;
const SP = 0x20;
const COLON = 0x3a;
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([^\r\n]*))?\r\n/;
// " HTTP/1.1" and its line end.
const VERSION_LENGTH = 9;

/**
 * Makes a head of `text` and the spans on the tape.
 *
 * llhttp lets pass several spaces, line ends and control octets that RFC 9112 does not; between
 * any two spans only what the grammar has there is let through.
 */
export function auditHead(
  kind: MessageKind,
  text: string,
  limits: HeadLimits,
  maxTargetBytes: number,
): Head {
  if (kind === "request") return auditRequest(text, limits, maxTargetBytes);
  const line = STATUS_LINE.exec(text);
  if (line === null) throw refusedStatusLine(text);
  const reason = line[3] ?? "";
  if (!isReason(reason)) throw refused("MALFORMED_START_LINE", quoted(reason), 13);
  const firstField = tape[0] === STATUS ? INTS_PER_SPAN : 0;
  return {
    method: "",
    target: "",
    status: Number(line[2]),
    reason,
    version: line[1] === "1" ? "1.1" : "1.0",
    headers: auditFields(text, line[0].length, firstField, limits),
  };
}

function auditRequest(text: string, limits: HeadLimits, maxTargetBytes: number): Head {
  const start = skipEmptyLines(text);
  const targetStart = tape[0] === URL && tapeLength > 0 ? tape[1]! : 0;
  const targetEnd = targetStart + tape[2]!;
  const method = text.substring(start, targetStart - 1);
  // First, because a parser that sees the head in pieces meets it first.
  if (targetEnd - targetStart > maxTargetBytes) {
    throw refused("TARGET_TOO_LONG", "", targetStart + maxTargetBytes);
  }
  // RFC 9112 §3: method SP request-target SP HTTP-version, with single spaces.
  if (!isToken(method) || text.charCodeAt(targetStart - 1) !== SP) {
    throw refused("MALFORMED_START_LINE", quoted(text.slice(start, targetEnd)), start);
  }
  const version = text.substring(targetEnd, targetEnd + VERSION_LENGTH);
  if (version !== " HTTP/1.1" && version !== " HTTP/1.0") {
    const code = / HTTP\/[0-9]\.[0-9]/.test(version)
      ? "UNSUPPORTED_VERSION"
      : "MALFORMED_START_LINE";
    throw refused(code, quoted(version), targetEnd);
  }
  const lineEnd = targetEnd + VERSION_LENGTH;
  if (!isLineEnd(text, lineEnd)) throw refused("MALFORMED_START_LINE", "no CRLF", lineEnd);
  return {
    method,
    target: text.substring(targetStart, targetEnd),
    status: 0,
    reason: "",
    version: version === " HTTP/1.1" ? "1.1" : "1.0",
    headers: auditFields(text, lineEnd + 2, INTS_PER_SPAN, limits),
  };
}

// RFC 9112 §5: name ":" OWS value OWS CRLF, line behind line, and an empty one.
function auditFields(text: string, start: number, firstSpan: number, limits: HeadLimits): Headers {
  const offsets: number[] = [];
  let at = start;
  for (let span = firstSpan; span < tapeLength && tape[span] === FIELD; span += 2 * INTS_PER_SPAN) {
    const nameEnd = at + tape[span + 2]!;
    if (tape[span + 1] !== at || text.charCodeAt(nameEnd) !== COLON) throw malformed(text, at);
    const valueStart = skipWhiteSpace(text, nameEnd + 1);
    const valueSpan = span + INTS_PER_SPAN;
    if (valueSpan >= tapeLength || tape[valueSpan] !== VALUE) throw malformed(text, at);
    const length = tape[valueSpan + 2]!;
    // An empty value's span lies behind its line end; a full one starts where the white space ends.
    if (length > 0 && tape[valueSpan + 1] !== valueStart) throw malformed(text, at);
    const spanEnd = length === 0 ? valueStart : valueStart + length;
    let valueEnd = spanEnd;
    while (valueEnd > valueStart && isWhiteSpace(text.charCodeAt(valueEnd - 1))) valueEnd--;
    if (!isLineEnd(text, spanEnd)) throw malformed(text, at);
    if (offsets.length === limits.maxFields * 4) throw refused(limits.tooMany, "", at);
    offsets.push(at, nameEnd, valueStart, valueEnd);
    at = spanEnd + 2;
  }
  if (!isLineEnd(text, at) || at + 2 !== text.length) throw malformed(text, at);
  return Headers.received(text, offsets);
}

// RFC 9112 §2.2: a server ignores empty lines before a request line; a lone CR or LF is none.
function skipEmptyLines(text: string): number {
  let at = 0;
  while (isLineEnd(text, at)) at += 2;
  return at;
}

function skipWhiteSpace(text: string, from: number): number {
  let at = from;
  while (isWhiteSpace(text.charCodeAt(at))) at++;
  return at;
}

function isLineEnd(text: string, at: number): boolean {
  return text.charCodeAt(at) === CR && text.charCodeAt(at + 1) === LF;
}

function refusedStatusLine(text: string): RemoteProtocolError {
  const came = quoted(text.split("\r\n", 1)[0] ?? "");
  if (/^HTTP\/[0-9]\.[0-9] /.test(text) && !/^HTTP\/1\.[01] /.test(text)) {
    return refused("UNSUPPORTED_VERSION", came, 0);
  }
  const code = /^HTTP\/1\.[01] 0[0-9]{2}[ \r]/.test(text) ? "BAD_STATUS" : "MALFORMED_START_LINE";
  return refused(code, came, 0);
}

function malformed(text: string, at: number): RemoteProtocolError {
  return refused("MALFORMED_FIELD", quoted(text.slice(at).split("\r\n", 1)[0] ?? ""), at);
}

function refused(code: RemoteCode, came: string, offset: number): RemoteProtocolError {
  return new RemoteProtocolError(code, came, { offset });
}
