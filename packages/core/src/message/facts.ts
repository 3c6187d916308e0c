// bytes → parser → [facts] → framing, persistence, switching: one pass over a head, both directions

import { listMembers } from "../base/tokens.ts";
import { type Headers, lineCount, lineName, lineNameLength, lineValue } from "./headers.ts";
import { tape } from "./tape.ts";
import * as layout from "./tape-layout.ts";

/** What the fields of one head say about the connection. Values are verbatim and unchecked. */
export interface Facts {
  hosts: number;
  /** The last Host; empty if the scanner has already found it valid. */
  host: string;
  contentLengths: number;
  /** All Content-Length lines, joined with commas. */
  contentLength: string;
  /** The only Content-Length, if the scanner has read it; {@link contentLength} is then empty. */
  length: number | undefined;
  transferEncodings: number;
  /** All Transfer-Encoding lines, joined with commas. */
  transferEncoding: string;
  close: boolean;
  keepAlive: boolean;
  /** Connection has the option `upgrade`. */
  connectionUpgrade: boolean;
  /** Connection has the option `TE`. */
  connectionTe: boolean;
  /** All TE lines, joined with commas. */
  te: string | undefined;
  /** All Upgrade lines, joined with commas; undefined if there are none. */
  upgrade: string | undefined;
  /** All Expect lines, joined with commas. */
  expect: string | undefined;
  date: boolean;
  /** The message announces trailers. */
  trailer: boolean;
}

/** Whether any field of the head frames a body, validly or not. */
export function hasFraming(facts: Facts): boolean {
  return facts.contentLengths > 0 || facts.transferEncodings > 0;
}

/** The members of Expect, in lower case. Empty members and duplicates are dropped. */
export function expectationsOf({ expect }: Facts): ReadonlySet<string> {
  return new Set(expect === undefined ? [] : listMembers(expect.toLowerCase()));
}

// The fields that control a connection; scanner/scanner.ts numbers them in this order, from 1.
const STEERING_NAMES = [
  "host",
  "te",
  "date",
  "trailer",
  "expect",
  "upgrade",
  "connection",
  "content-length",
  "transfer-encoding",
] as const;
type SteeringName = (typeof STEERING_NAMES)[number];

const STEERING_BY_NAME = new Map<string, SteeringName>(STEERING_NAMES.map((name) => [name, name]));

/** Reads the fields that control a connection; the length of most others rules them out. */
export function inspect(headers: Headers): Facts {
  const facts = noFacts();
  const count = lineCount(headers);
  for (let i = 0; i < count; i++) {
    switch (lineNameLength(headers, i)) {
      case "te".length:
      case "host".length: // and Date's
      case "expect".length:
      case "upgrade".length: // and Trailer's
      case "connection".length:
      case "content-length".length:
      case "transfer-encoding".length: {
        const name = STEERING_BY_NAME.get(lineName(headers, i).toLowerCase());
        // Accept and Cookie are as long as Expect: do not cut their values.
        if (name !== undefined) take(facts, name, lineValue(headers, i));
      }
    }
  }
  return facts;
}

/**
 * Like {@link inspect}, for headers on the tape, whose fields the scanner has found. The result is
 * valid until the next call.
 */
export function factsOnTape(headers: Headers): Facts {
  const facts = onTape;
  const flags = tape[layout.FLAGS]!;
  facts.hosts = (flags & layout.PLAIN_HOST) !== 0 ? 1 : 0;
  facts.host = "";
  facts.contentLengths = (flags & layout.KNOWN_LENGTH) !== 0 ? 1 : 0;
  facts.contentLength = "";
  facts.length = facts.contentLengths === 1 ? tape[layout.LENGTH]! : undefined;
  facts.transferEncodings = 0;
  facts.transferEncoding = "";
  facts.close = (flags & layout.CLOSE) !== 0;
  facts.keepAlive = (flags & layout.KEEP_ALIVE) !== 0;
  facts.connectionUpgrade = (flags & layout.UPGRADE) !== 0;
  facts.connectionTe = (flags & layout.TE) !== 0;
  facts.te = undefined;
  facts.upgrade = undefined;
  facts.expect = undefined;
  facts.date = (flags & layout.DATE) !== 0;
  facts.trailer = (flags & layout.TRAILER) !== 0;
  const end = layout.STEERING_LIST + tape[layout.STEERING]! * layout.INTS_PER_STEERING;
  for (let at = layout.STEERING_LIST; at < end; at += layout.INTS_PER_STEERING) {
    take(facts, STEERING_NAMES[tape[at]! - 1]!, lineValue(headers, tape[at + 1]!));
  }
  return facts;
}

function noFacts(): Facts {
  return {
    hosts: 0,
    host: "",
    contentLengths: 0,
    contentLength: "",
    length: undefined,
    transferEncodings: 0,
    transferEncoding: "",
    close: false,
    keepAlive: false,
    connectionUpgrade: false,
    connectionTe: false,
    te: undefined,
    upgrade: undefined,
    expect: undefined,
    date: false,
    trailer: false,
  };
}

// One object for all heads: the facts of a head are not kept after it is checked.
const onTape = noFacts();

/** Part of `forget`. */
export function forgetFacts(): void {
  onTape.host = "";
  onTape.te = undefined;
  onTape.upgrade = undefined;
  onTape.expect = undefined;
  onTape.contentLength = "";
  onTape.transferEncoding = "";
}

function take(facts: Facts, name: SteeringName, value: string): void {
  switch (name) {
    case "host":
      facts.hosts++;
      facts.host = value;
      break;
    case "te":
      facts.te = joined(facts.te, value);
      break;
    case "date":
      facts.date = true;
      break;
    case "trailer":
      facts.trailer = true;
      break;
    case "expect":
      facts.expect = joined(facts.expect, value);
      break;
    case "upgrade":
      facts.upgrade = joined(facts.upgrade, value);
      break;
    case "connection":
      takeOptions(facts, value);
      break;
    case "content-length":
      facts.contentLength =
        facts.contentLengths++ === 0 ? value : `${facts.contentLength},${value}`;
      break;
    case "transfer-encoding":
      facts.transferEncoding =
        facts.transferEncodings++ === 0 ? value : `${facts.transferEncoding},${value}`;
      break;
  }
}

// RFC 9110 §7.6.1: options are compared whole, ignoring case.
function takeOptions(facts: Facts, value: string): void {
  // By far the most common value.
  if (value === "keep-alive") {
    facts.keepAlive = true;
    return;
  }
  for (const member of listMembers(value)) {
    switch (member.toLowerCase()) {
      case "close":
        facts.close = true;
        break;
      case "keep-alive":
        facts.keepAlive = true;
        break;
      case "upgrade":
        facts.connectionUpgrade = true;
        break;
      case "te":
        facts.connectionTe = true;
        break;
    }
  }
}

function joined(before: string | undefined, value: string): string {
  return before === undefined ? value : `${before},${value}`;
}
