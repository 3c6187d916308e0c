import { expect } from "vitest";
import { RemoteProtocolError } from "../src/base/errors.ts";
import { type LimitOptions, resolveLimits } from "../src/base/limits.ts";
import type { HeadOf, MessageKind } from "../src/parser/head.ts";
import { HeadParser } from "../src/parser/head-parser.ts";

export const octets = (text: string) => Buffer.from(text, "latin1");

/** The head, or the fault, of `text` split at `cuts`, and how much was consumed. */
export function outcome(
  kind: MessageKind,
  text: string,
  limits: LimitOptions = {},
  cuts: number[] = [],
) {
  const parser = new HeadParser(kind, resolveLimits(limits));
  let from = 0;
  let taken = 0;
  try {
    for (const to of [...cuts, text.length]) {
      const head = parser.read(octets(text.slice(from, to)), 0);
      taken += parser.consumed;
      if (head !== undefined) return `${summary(head)} after ${taken}`;
      from = to;
    }
  } catch (error) {
    if (!(error instanceof RemoteProtocolError)) throw error;
    return `${error.code} at ${error.offset}`;
  }
  return `more, ${parser.held.length} held`;
}

export function summary(head: HeadOf<MessageKind>): string {
  const line = head.kind === "request" ? [head.method, head.target] : [head.status, head.reason];
  return [...line, head.version, head.headers.toFlat().join("|")].join("|");
}

/** The outcome of `text`, which must be the same however it is split. */
function everywhere(kind: MessageKind, text: string, limits: LimitOptions = {}): string {
  const whole = outcome(kind, text, limits);
  const places = [...text].map((_, at) => at).slice(1);
  for (const at of places) {
    expect(outcome(kind, text, limits, [at]), `cut at ${at}`).toBe(whole);
  }
  expect(outcome(kind, text, limits, places), "byte by byte").toBe(whole);
  return whole;
}

export const request = (text: string, limits?: LimitOptions) => everywhere("request", text, limits);

export const response = (text: string, limits?: LimitOptions) =>
  everywhere("response", text, limits);
