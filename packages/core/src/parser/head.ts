// bytes → scanner or audit → [head] → events: one head, cut, and nothing judged but its grammar

import type { RemoteCode } from "../errors.ts";
import type { Version } from "../events.ts";
import { type Facts, factsOnTape } from "../facts.ts";
import { type Headers, headersOnTape } from "../headers.ts";
import {
  METHOD,
  METHODS,
  MINOR,
  REASON_END,
  REASON_START,
  STATUS,
  TARGET_END,
  TARGET_START,
  tape,
} from "../tape.ts";

export type MessageKind = "request" | "response";

/** What bounds a head: a message's, or a trailer section's. */
export interface HeadLimits {
  readonly maxBytes: number;
  readonly tooLarge: RemoteCode;
  readonly maxFields: number;
  readonly tooMany: RemoteCode;
  readonly malformed: RemoteCode;
}

/** A head, cut. For a request `status` is 0, for a response `method` and `target` are empty. */
export interface Head {
  readonly method: string;
  readonly target: string;
  readonly status: number;
  readonly reason: string;
  readonly version: Version;
  readonly headers: Headers;
  /** Of a head on the tape, they hold until another is read. */
  readonly facts: Facts;
}

/** The head that the scanner has just found exact. `text` is all of it. */
export function headOnTape(kind: MessageKind, text: string): Head {
  const headers = headersOnTape(text);
  const isRequest = kind === "request";
  return {
    method: isRequest ? METHODS[tape[METHOD]!]! : "",
    target: isRequest ? text.substring(tape[TARGET_START]!, tape[TARGET_END]!) : "",
    status: isRequest ? 0 : tape[STATUS]!,
    reason: isRequest ? "" : text.substring(tape[REASON_START]!, tape[REASON_END]!),
    version: tape[MINOR] === 1 ? "1.1" : "1.0",
    headers,
    facts: factsOnTape(headers),
  };
}
