// bytes → llhttp → [audit] → head: checks every octet of a field against the grammar of RFC 9112

import { type RemoteCode, RemoteProtocolError } from "../base/errors.ts";
import { isFieldValue, isToken, isWhiteSpace, octetName } from "../base/tokens.ts";
import { inspect } from "../message/facts.ts";
import { type Headers, headersOf } from "../message/headers.ts";
import type { Head, HeadLimits } from "./head.ts";
import { cutLine, NOT_ON_TAPE, ReceivedLines } from "./received-lines.ts";
import type { StartLine } from "./start-line.ts";

/**
 * Makes a head of `text`, whose start line, if any, has been read, and whose fields llhttp has
 * accepted. Refuses whatever llhttp might accept but RFC 9112 does not.
 *
 * @throws {RemoteProtocolError} with `offset` counted from the head's first byte.
 */
export function auditHead(line: StartLine | undefined, text: string, limits: HeadLimits): Head {
  const headers = auditFields(text, line?.length ?? 0, limits);
  if (line === undefined) return { kind: "trailers", headers };
  const { kind, method, target, status, reason, version } = line;
  const facts = inspect(headers);
  if (kind === "response") return { kind, status, reason, version, headers, facts };
  return { kind, method, target, version, headers, facts };
}

// RFC 9112 §5: name ":" OWS value OWS CRLF, line after line, and an empty one.
function auditFields(text: string, start: number, limits: HeadLimits): Headers {
  const offsets: number[] = [];
  let count = 0;
  let at = start;
  // RFC 9112 §2.2: a line end is CR LF; no line begins with either.
  while (at < text.length && text[at] !== "\r") {
    const next = cutLine(text, at, offsets);
    const [nameStart, nameEnd, valueStart, valueEnd] = offsets.splice(0);
    const isLine = text[nameEnd!] === ":" && isToken(text.slice(nameStart, nameEnd));
    if (!isLine || !isFieldValue(text.slice(valueStart, valueEnd))) {
      throw refused(limits.malformed, "", at);
    }
    if (count++ === limits.maxFields) throw refused(limits.tooMany, "", at);
    at = next;
  }
  if (text.slice(at) !== "\r\n") throw refused(limits.malformed, "", at);
  return headersOf(new ReceivedLines(text, start, count, NOT_ON_TAPE));
}

// An octet of no token, in a name or at the start of a line; or a bare LF anywhere.
const FAULT_AT_END = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]*[^!#$%&'*+\-.^_`|~0-9A-Za-z:\r]$|\n$/;

/** Whether the last octet of `line`, the beginning of a field line, is invalid there. */
export function endsInFault(line: string): boolean {
  return FAULT_AT_END.test(line);
}

/**
 * What is wrong with a field line at its last octet. Names the field, but never quotes the value,
 * which may be a secret.
 */
export function faultOfField(line: string): string {
  const at = line.length - 1;
  const octet = line.charCodeAt(at);
  // RFC 9112 §5.2.
  if (at === 0 && isWhiteSpace(octet)) return "a line begins with white space (obs-fold)";
  // A bare CR is noticed at the octet after it.
  const isBareCr = line[at - 1] === "\r";
  const what = isBareCr ? "a CR without LF" : octetName(octet);
  const colon = line.indexOf(":");
  if (colon === -1 || colon === at) return `${what} in a field name`;
  let valueStart = colon + 1;
  while (isWhiteSpace(line.charCodeAt(valueStart))) valueStart++;
  return `${line.slice(0, colon)} has ${what} at ${at - valueStart - (isBareCr ? 1 : 0)}`;
}

/** What is wrong with a Content-Length, whatever octet follows `line`; undefined if nothing is. */
export function faultOfLength(line: string): string | undefined {
  if (line.endsWith("\n")) return "Content-Length is empty";
  const isTooLarge = Number(line.slice(line.indexOf(":") + 1)) > Number.MAX_SAFE_INTEGER;
  return isTooLarge ? "Content-Length is too large" : undefined;
}

function refused(code: RemoteCode, detail: string, offset: number): RemoteProtocolError {
  return new RemoteProtocolError(code, detail, { offset });
}
