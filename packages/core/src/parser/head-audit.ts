// bytes → llhttp → [audit] → head: every octet is one that the grammar of RFC 9112 has there

import { type RemoteCode, RemoteProtocolError } from "../errors.ts";
import { inspect } from "../facts.ts";
import { cutFieldLine } from "../field-line.ts";
import { Headers } from "../headers.ts";
import { isFieldValue, isReason, isToken, quoted } from "../tokens.ts";
import type { Head, HeadLimits, MessageKind } from "./head.ts";

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: ([^\r\n]*))?\r\n/;
// The empty lines, the method, the spaces, the target.
const START_OF_REQUEST = /^((?:\r\n)*)([^ ]*)( *)([^ \r\n]*)/;
// " HTTP/1.1" and its line end.
const VERSION_LENGTH = 9;

/**
 * Makes a head of `text`, which llhttp has let pass, or says what is wrong with it: llhttp lets pass
 * several spaces, line ends and control octets that RFC 9112 does not.
 *
 * @throws {RemoteProtocolError} with `offset` counted from the head's first byte.
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
  const headers = auditFields(text, line[0].length, limits);
  return {
    method: "",
    target: "",
    isOriginForm: false,
    status: Number(line[2]),
    reason,
    version: line[1] === "1" ? "1.1" : "1.0",
    headers,
    facts: inspect(headers),
  };
}

function auditRequest(text: string, limits: HeadLimits, maxTargetBytes: number): Head {
  const [line, emptyLines, method, spaces, target] = START_OF_REQUEST.exec(text) as unknown as [
    line: string,
    emptyLines: string,
    method: string,
    spaces: string,
    target: string,
  ];
  const start = emptyLines.length;
  const targetEnd = line.length;
  // First, because a parser that sees the head in pieces meets it first.
  if (target.length > maxTargetBytes) {
    throw refused("TARGET_TOO_LONG", "", targetEnd - target.length + maxTargetBytes);
  }
  // RFC 9112 §3: method SP request-target SP HTTP-version, with single spaces.
  if (!isToken(method) || spaces !== " ") {
    throw refused("MALFORMED_START_LINE", quoted(line.slice(start)), start);
  }
  const version = text.substring(targetEnd, targetEnd + VERSION_LENGTH);
  if (version !== " HTTP/1.1" && version !== " HTTP/1.0") {
    const code = / HTTP\/[0-9]\.[0-9]/.test(version)
      ? "UNSUPPORTED_VERSION"
      : "MALFORMED_START_LINE";
    throw refused(code, quoted(version), targetEnd);
  }
  const lineEnd = targetEnd + VERSION_LENGTH;
  if (!text.startsWith("\r\n", lineEnd)) throw refused("MALFORMED_START_LINE", "no CRLF", lineEnd);
  const headers = auditFields(text, lineEnd + 2, limits);
  return {
    method,
    target,
    isOriginForm: false,
    status: 0,
    reason: "",
    version: version === " HTTP/1.1" ? "1.1" : "1.0",
    headers,
    facts: inspect(headers),
  };
}

// RFC 9112 §5: name ":" OWS value OWS CRLF, line behind line, and an empty one.
function auditFields(text: string, start: number, limits: HeadLimits): Headers {
  const offsets: number[] = [];
  let count = 0;
  let at = start;
  // RFC 9112 §2.2: a line end is CR LF; no line begins with either.
  while (at < text.length && text[at] !== "\r") {
    const next = cutFieldLine(text, at, offsets);
    const [nameStart, nameEnd, valueStart, valueEnd] = offsets.splice(0);
    const isLine = text[nameEnd!] === ":" && isToken(text.slice(nameStart, nameEnd));
    if (!isLine || !isFieldValue(text.slice(valueStart, valueEnd))) throw malformed(text, at);
    if (count++ === limits.maxFields) throw refused(limits.tooMany, "", at);
    at = next;
  }
  if (text.slice(at) !== "\r\n") throw malformed(text, at);
  return Headers.received(text, start, count);
}

function refusedStatusLine(text: string): RemoteProtocolError {
  const came = quoted(lineAt(text, 0));
  if (/^HTTP\/[0-9]\.[0-9] /.test(text) && !/^HTTP\/1\.[01] /.test(text)) {
    return refused("UNSUPPORTED_VERSION", came, 0);
  }
  const code = /^HTTP\/1\.[01] 0[0-9]{2}[ \r]/.test(text) ? "BAD_STATUS" : "MALFORMED_START_LINE";
  return refused(code, came, 0);
}

function malformed(text: string, at: number): RemoteProtocolError {
  return refused("MALFORMED_FIELD", quoted(lineAt(text, at)), at);
}

function lineAt(text: string, at: number): string {
  const end = text.indexOf("\r\n", at);
  return text.slice(at, end === -1 ? text.length : end);
}

function refused(code: RemoteCode, came: string, offset: number): RemoteProtocolError {
  return new RemoteProtocolError(code, came, { offset });
}
