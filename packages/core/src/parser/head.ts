// bytes → scanner or audit → [head] → events: one parsed head, checked only for its grammar

import type { RemoteCode } from "../base/errors.ts";
import { type Facts, factsOnTape } from "../message/facts.ts";
import { type Headers, headersOnTape } from "../message/headers.ts";
import { METHODS, tape } from "../message/tape.ts";
import {
  METHOD,
  MINOR,
  REASON_END,
  REASON_START,
  STATUS,
  TARGET_END,
  TARGET_START,
} from "../message/tape-layout.ts";
import { faultOfTarget } from "../message/target.ts";
import type { Version } from "../message/version.ts";

export type MessageKind = "request" | "response";

/** What ends with an empty line: a head, or the trailers after a body. */
export type SectionKind = MessageKind | "trailers";

/** The limits of a head or a trailer section, and the errors for exceeding them. */
export interface HeadLimits {
  readonly maxBytes: number;
  readonly tooLarge: RemoteCode;
  readonly maxFields: number;
  readonly tooMany: RemoteCode;
  readonly malformed: RemoteCode;
}

/**
 * A parsed head. For a request `status` is 0, for a response `method` and `target` are empty, and
 * trailers have only headers.
 */
export interface Head {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: Headers;
  /** If the head is on the tape, they are valid until another head is read. */
  readonly facts: Facts;
}

/**
 * The head that the scanner has just accepted; `text` is all of it. Undefined if its method does not
 * allow the form of its target: the scanner checks the octets of a target, but not its form.
 */
export function headOnTape(kind: SectionKind, text: string): Head | undefined {
  const isRequest = kind === "request";
  const isResponse = kind === "response";
  const method = isRequest ? METHODS[tape[METHOD]!]! : "";
  const target = isRequest ? text.substring(tape[TARGET_START]!, tape[TARGET_END]!) : "";
  const isOriginForm = target.startsWith("/") && method !== "CONNECT";
  if (isRequest && !isOriginForm && faultOfTarget(method, target) !== undefined) return undefined;
  const headers = headersOnTape(text);
  return {
    method,
    target,
    status: isResponse ? tape[STATUS]! : 0,
    reason: !isResponse ? "" : text.substring(tape[REASON_START]!, tape[REASON_END]!),
    version: tape[MINOR] === 1 ? "1.1" : "1.0",
    headers,
    facts: factsOnTape(headers),
  };
}
