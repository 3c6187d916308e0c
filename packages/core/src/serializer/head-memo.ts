// bytes ← [remembered heads] ← events: a server says the same head again and again

import type { ResponseToSend } from "../events.ts";
import type { Headers, HeadersInit } from "../headers.ts";
import type { Answered, CheckedResponse } from "./response-head.ts";

/** A head, and all it was made from. */
interface Memory {
  readonly event: ResponseToSend;
  readonly request: Answered;
  readonly headers: Headers;
  readonly response: CheckedResponse;
}

// The last head of each status, for the process: checking and joining one is the largest part of
// answering. What is written is the text that was checked, never a second one.
const memories = new Map<number, Memory>();

/** The head made last time, if this one has the same ingredients. */
export function recall(event: ResponseToSend, request: Answered): CheckedResponse | undefined {
  const memory = memories.get(event.status);
  if (memory === undefined || request.proposal !== undefined) return undefined;
  const { event: past, request: asked } = memory;
  const same =
    event.bodyLength === past.bodyLength &&
    event.date === past.date &&
    event.reason === past.reason &&
    event.type === past.type &&
    request.persists === asked.persists &&
    request.version === asked.version &&
    request.method === asked.method &&
    sameLines(event.headers, memory.headers);
  return same ? memory.response : undefined;
}

/** Keeps a head for {@link recall}. */
export function remember(
  event: ResponseToSend,
  request: Answered,
  headers: Headers,
  response: CheckedResponse,
): void {
  if (request.proposal !== undefined || event.type !== "response") return;
  const { type, status, reason, date, bodyLength } = event;
  const { method, version, persists } = request;
  memories.set(status, {
    event: { type, status, reason, date, bodyLength },
    request: { method, version, persists, proposal: undefined },
    headers,
    response,
  });
}

// Only plain pairs are worth a look: they are what most services give, and cost nothing to read.
function sameLines(init: HeadersInit | undefined, past: Headers): boolean {
  if (init === undefined) return past.length === 0;
  if (!Array.isArray(init) || init.length !== past.length) return init === past;
  for (let i = 0; i < init.length; i++) {
    const pair: unknown = init[i];
    if (!Array.isArray(pair) || pair.length !== 2) return false;
    if (pair[0] !== past.nameAt(i) || pair[1] !== past.valueAt(i)) return false;
  }
  return true;
}
