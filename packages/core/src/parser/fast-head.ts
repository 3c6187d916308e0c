// bytes → scanner → [fast head] → head parser: heads that are whole and exact, from the tape

import type { Limits } from "../base/limits.ts";
import { type Facts, noFacts, STEERING_NAMES, takeField } from "../message/facts.ts";
import { type Headers, headersOf } from "../message/headers.ts";
import { faultOfTarget } from "../message/target.ts";
import type { Version } from "../message/version.ts";
import { type Head, type HeadLimits, maxFieldsOf, type SectionKind } from "./head.ts";
import { ReceivedLines } from "./received-lines.ts";
import { scanner } from "./scanner-module.ts";
import {
  CLOSE,
  DATE,
  FIELDS,
  FLAGS,
  INTS_PER_STEERING,
  KEEP_ALIVE,
  KNOWN_LENGTH,
  LENGTH,
  METHOD,
  MINOR,
  PLAIN_HOST,
  REASON_END,
  REASON_START,
  STATUS,
  STEERING,
  STEERING_LIST,
  TARGET_END,
  TARGET_START,
  TE,
  TRAILER,
  UPGRADE,
} from "./tape-layout.ts";

/** The methods that the scanner recognizes, in the order of its numbers. */
const METHODS = [
  "",
  "GET",
  "POST",
  "HEAD",
  "PUT",
  "DELETE",
  "PATCH",
  "OPTIONS",
  "CONNECT",
] as const;

/**
 * Reads the head at `bytes[from]`, which must end by `to`; its length is {@link scanner}'s
 * `headLength`. Undefined if it is not whole, not exact, or beyond a limit: the slow reader finds out
 * which.
 */
export function readFast(
  kind: SectionKind,
  bytes: Uint8Array,
  from: number,
  to: number,
  limits: Limits,
): Head | undefined {
  const length = scanner.scan(kind, bytes, from, to);
  const { tape } = scanner;
  const fits =
    length > 0 &&
    tape[FIELDS]! <= maxFieldsOf(kind, limits) &&
    (kind !== "request" || tape[TARGET_END]! - tape[TARGET_START]! <= limits.maxTargetBytes);
  return fits ? headOnTape(kind, tape, scanner.text()) : undefined;
}

/**
 * Reads the fields at `bytes[from, to)`, which a start line precedes that the scanner does not take.
 * Undefined if they are not exact, or too many.
 */
export function readFieldsFast(
  bytes: Uint8Array,
  from: number,
  to: number,
  limits: HeadLimits,
): { headers: Headers; facts: Facts } | undefined {
  const length = scanner.scan("trailers", bytes, from, to);
  const { tape } = scanner;
  if (length !== to - from || tape[FIELDS]! > limits.maxFields) return undefined;
  const lines = linesOnTape(scanner.text());
  return { headers: headersOf(lines), facts: factsOnTape(tape, lines) };
}

// The scanner checks the octets of a target, but not its form: undefined if its method does not allow
// that.
function headOnTape(kind: SectionKind, tape: Int32Array, text: string): Head | undefined {
  if (kind === "trailers") return { kind, headers: headersOf(linesOnTape(text)) };
  const version: Version = tape[MINOR] === 1 ? "1.1" : "1.0";
  if (kind === "response") {
    const reason = text.substring(tape[REASON_START]!, tape[REASON_END]!);
    const lines = linesOnTape(text);
    const facts = factsOnTape(tape, lines);
    return { kind, status: tape[STATUS]!, reason, version, headers: headersOf(lines), facts };
  }
  const method = METHODS[tape[METHOD]!]!;
  const target = text.substring(tape[TARGET_START]!, tape[TARGET_END]!);
  const isOriginForm = target.startsWith("/") && method !== "CONNECT";
  if (!isOriginForm && faultOfTarget(method, target) !== undefined) return undefined;
  const lines = linesOnTape(text);
  const facts = factsOnTape(tape, lines);
  return { kind, method, target, version, headers: headersOf(lines), facts };
}

function linesOnTape(text: string): ReceivedLines {
  const { tape, fields, generation } = scanner;
  return new ReceivedLines(text, fields[0]!, tape[FIELDS]!, generation);
}

/** Like `inspect`, for fields that the scanner has found. */
function factsOnTape(tape: Int32Array, lines: ReceivedLines): Facts {
  const facts = noFacts();
  const flags = tape[FLAGS]!;
  facts.hosts = (flags & PLAIN_HOST) !== 0 ? 1 : 0;
  if ((flags & KNOWN_LENGTH) !== 0) {
    facts.contentLengths = 1;
    facts.length = tape[LENGTH]!;
  }
  facts.close = (flags & CLOSE) !== 0;
  facts.keepAlive = (flags & KEEP_ALIVE) !== 0;
  facts.connectionUpgrade = (flags & UPGRADE) !== 0;
  facts.connectionTe = (flags & TE) !== 0;
  facts.date = (flags & DATE) !== 0;
  facts.trailer = (flags & TRAILER) !== 0;
  const end = STEERING_LIST + tape[STEERING]! * INTS_PER_STEERING;
  for (let at = STEERING_LIST; at < end; at += INTS_PER_STEERING) {
    takeField(facts, STEERING_NAMES[tape[at]! - 1]!, lines.valueAt(tape[at + 1]!));
  }
  return facts;
}
