// bytes → parser → [facts] → framing, persistence, switching: one pass over a head, both directions

import { listMembers } from "../base/tokens.ts";
import { type Headers, linesIn } from "./headers.ts";

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

/** The fields that control a connection; the scanner numbers them in this order, from 1. */
export const STEERING_NAMES = [
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
export type SteeringName = (typeof STEERING_NAMES)[number];

const STEERING_BY_NAME = new Map<string, SteeringName>(STEERING_NAMES.map((name) => [name, name]));

/** Reads the fields that control a connection; the length of most others rules them out. */
export function inspect(headers: Headers): Facts {
  const facts = noFacts();
  const lines = linesIn(headers);
  for (let i = 0; i < lines.length; i++) {
    switch (lines.nameLengthAt(i)) {
      case "te".length:
      case "host".length: // and Date's
      case "expect".length:
      case "upgrade".length: // and Trailer's
      case "connection".length:
      case "content-length".length:
      case "transfer-encoding".length: {
        const name = STEERING_BY_NAME.get(lines.nameAt(i).toLowerCase());
        // Accept and Cookie are as long as Expect: do not cut their values.
        if (name !== undefined) takeField(facts, name, lines.valueAt(i));
      }
    }
  }
  return facts;
}

/** The facts of a head without control fields, to be filled in. */
export function noFacts(): Facts {
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

/** Adds one of the fields that control a connection. */
export function takeField(facts: Facts, name: SteeringName, value: string): void {
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
