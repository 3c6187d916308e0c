// bytes ← [remembered heads] ← events: the same head is often sent again

import type { CheckedRequest, RequestSnapshot } from "./request-head.ts";
import type { Answered, CheckedResponse, ResponseSnapshot } from "./response-head.ts";

/**
 * V8 flattens a concatenated string when a character is read. Reading one here does it once, and not
 * in every write, where it cost two microseconds.
 */
interface Joined {
  readonly firstOctet: number;
}

/** A response head, and all it was made from. */
interface ResponseMemory extends Joined {
  readonly event: ResponseSnapshot;
  readonly request: Answered;
  readonly response: CheckedResponse;
}

// The last head of each status, for the whole process: checking and building a head is the largest
// part of answering. The text that is written is always the one that was checked.
const responses = new Map<number, ResponseMemory>();

/** The head made last time, if this one would be made from the same. */
export function recall(event: ResponseSnapshot, request: Answered): CheckedResponse | undefined {
  const memory = responses.get(event.status);
  if (memory === undefined) return undefined;
  const { event: past, request: answered } = memory;
  const same =
    event.headers === past.headers &&
    event.bodyLength === past.bodyLength &&
    event.date === past.date &&
    event.reason === past.reason &&
    event.type === past.type &&
    request.proposal === answered.proposal &&
    request.persists === answered.persists &&
    request.version === answered.version &&
    request.method === answered.method;
  return same ? memory.response : undefined;
}

/** Keeps a head for {@link recall}. */
export function remember(
  event: ResponseSnapshot,
  request: Answered,
  response: CheckedResponse,
): void {
  // A switch is the last head of its connection, and WebSocket's never has the same fields twice.
  if (event.type !== "response" || event.status === 101) return;
  const { method, version, persists, proposal } = request;
  const answered = { method, version, persists, proposal };
  const firstOctet = response.text.charCodeAt(0);
  responses.set(event.status, { event, request: answered, response, firstOctet });
}

/** A request head, and all it was made from. */
interface RequestMemory extends Joined {
  readonly event: RequestSnapshot;
  readonly close: boolean;
  readonly request: CheckedRequest;
}

// A client checks a head first and sends it later; and many clients repeat the same request.
let lastRequest: RequestMemory | undefined;

/** Part of `forget`. */
export function forgetHeads(): void {
  if (responses.size > 0) responses.clear();
  lastRequest = undefined;
}

/** The head made last time, if this one would be made from the same. */
export function recallRequest(event: RequestSnapshot, close: boolean): CheckedRequest | undefined {
  if (lastRequest === undefined) return undefined;
  const { event: past } = lastRequest;
  const same =
    event.headers === past.headers &&
    event.target === past.target &&
    event.method === past.method &&
    event.version === past.version &&
    event.bodyLength === past.bodyLength &&
    close === lastRequest.close;
  return same ? lastRequest.request : undefined;
}

/** Keeps a head for {@link recallRequest}. */
export function rememberRequest(
  event: RequestSnapshot,
  close: boolean,
  request: CheckedRequest,
): void {
  lastRequest = { event, close, request, firstOctet: request.text.charCodeAt(0) };
}
