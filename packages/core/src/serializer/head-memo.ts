// bytes ← [remembered heads] ← events: the same head is said again and again

import type { CheckedRequest, SaidRequest } from "./request-head.ts";
import type { Answered, CheckedResponse, SaidResponse } from "./response-head.ts";

/**
 * V8 joins the twenty pieces of a head when somebody looks at a character, and every write does so
 * anew unless it is done before: that cost two microseconds a write.
 */
interface Joined {
  readonly firstOctet: number;
}

/** A response's head, and all it was made from. */
interface ResponseMemory extends Joined {
  readonly event: SaidResponse;
  readonly request: Answered;
  readonly response: CheckedResponse;
}

// The last head of each status, for the process: checking and joining one is the largest part of
// answering. What is written is the text that was checked, never a second one.
const responses = new Map<number, ResponseMemory>();

/** The head made last time, if this one has the same ingredients. */
export function recall(event: SaidResponse, request: Answered): CheckedResponse | undefined {
  const memory = responses.get(event.status);
  if (memory === undefined) return undefined;
  const { event: past, request: asked } = memory;
  const same =
    event.headers === past.headers &&
    event.bodyLength === past.bodyLength &&
    event.date === past.date &&
    event.reason === past.reason &&
    event.type === past.type &&
    request.proposal === asked.proposal &&
    request.persists === asked.persists &&
    request.version === asked.version &&
    request.method === asked.method;
  return same ? memory.response : undefined;
}

/** Keeps a head for {@link recall}. */
export function remember(event: SaidResponse, request: Answered, response: CheckedResponse): void {
  if (event.type !== "response") return;
  const { method, version, persists, proposal } = request;
  const asked = { method, version, persists, proposal };
  const firstOctet = response.text.charCodeAt(0);
  responses.set(event.status, { event, request: asked, response, firstOctet });
}

/** A request's head, and all it was made from. */
interface RequestMemory extends Joined {
  readonly event: SaidRequest;
  readonly close: boolean;
  readonly request: CheckedRequest;
}

// A client checks a head in front of everything else and says it in its turn; and many clients ask
// for the same again.
let lastRequest: RequestMemory | undefined;

/** As `forget`, of what is remembered here. */
export function forgetHeads(): void {
  if (responses.size > 0) responses.clear();
  lastRequest = undefined;
}

/** The head made last time, if this one has the same ingredients. */
export function recallRequest(event: SaidRequest, close: boolean): CheckedRequest | undefined {
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
export function rememberRequest(event: SaidRequest, close: boolean, request: CheckedRequest): void {
  lastRequest = { event, close, request, firstOctet: request.text.charCodeAt(0) };
}
