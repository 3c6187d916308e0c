// response ← [fetch response] ← handler: a WHATWG Response as a response to send

import { LocalProtocolError } from "@upgrade/core";
import { inWords, type ReadableStreamLike, releaseBody } from "@upgrade/core/io";
import type { RequestBody } from "./fetch-body.ts";
import type { ServerResponse } from "./service.ts";

/** The parts of a Response that we use. */
interface ResponseLike {
  readonly status: number;
  readonly statusText?: string;
  readonly headers: Iterable<[string, string]> & { getSetCookie?(): string[] };
  readonly body?: ReadableStreamLike | null;
  readonly bodyUsed?: boolean;
}

// What handlers mean by a 426 that names no protocol (RFC 9110 §15.5.22: it must name one).
const EXPECTED: [string, string] = ["Upgrade", "websocket"];

/**
 * The response to send. Its body is released if it cannot be sent, and the request's body is closed
 * when it has been.
 *
 * @throws {LocalProtocolError} `NO_RESPONSE`, `INVALID_STATUS`, `BODY_USED`.
 */
export function responseOf(given: unknown, request: RequestBody): ServerResponse {
  if (!isResponse(given)) {
    // A stream, or a response of ours, in place of a Response.
    releaseBody(given);
    releaseBody((given as { body?: unknown } | null | undefined)?.body);
    const detail = `the handler returned ${inWords(given)}, not a Response`;
    throw new LocalProtocolError("NO_RESPONSE", detail);
  }
  const { status, statusText, body = null } = given;
  try {
    checkResponse(given);
    const reason = statusText === undefined || statusText === "" ? undefined : statusText;
    const headers = linesOf(given);
    if (body === null) request.close();
    return { status, reason, headers, body: body && watched(body, () => request.close()) };
  } catch (error) {
    releaseBody(body);
    throw error;
  }
}

function isResponse(given: unknown): given is ResponseLike {
  if (typeof given !== "object" || given === null) return false;
  const { status, headers, body } = given as Partial<ResponseLike>;
  const isStream = typeof Object(body ?? undefined).getReader === "function";
  const isIterable = typeof Object(headers ?? undefined)[Symbol.iterator] === "function";
  return typeof status === "number" && isIterable && (isStream || (body ?? null) === null);
}

function checkResponse({ status, bodyUsed }: ResponseLike): void {
  if (status === 0) throw new LocalProtocolError("INVALID_STATUS", "the handler's network error");
  // On workerd it comes with a WebSocket, which is not ours to join.
  if (status < 200) {
    throw new LocalProtocolError("INVALID_STATUS", `${status} from a handler: use switching()`);
  }
  if (bodyUsed === true) throw new LocalProtocolError("BODY_USED", "of the handler's Response");
}

function linesOf({ status, headers }: ResponseLike): [string, string][] {
  const lines: [string, string][] = [];
  const hasCookies = typeof headers.getSetCookie === "function";
  let hasUpgrade = false;
  for (const [name, value] of headers) {
    const lower = name.toLowerCase();
    hasUpgrade ||= lower === "upgrade";
    const isCookie = lower === "set-cookie" && hasCookies;
    if (!isCookie && !isFraming(lower, status)) lines.push([name, value]);
  }
  if (hasCookies) for (const value of headers.getSetCookie!()) lines.push(["set-cookie", value]);
  if (status === 426 && !hasUpgrade) lines.push(EXPECTED);
  return lines;
}

// The connection frames the message itself, and a 204 or a 205 has no length (RFC 9110 §8.6).
function isFraming(name: string, status: number): boolean {
  if (name === "transfer-encoding") return true;
  return name === "content-length" && (status === 204 || status === 205);
}

// Its lock is released once: at its end, or when it is canceled.
function watched(body: ReadableStreamLike, ended: () => void): ReadableStreamLike {
  return {
    get locked() {
      return body.locked === true;
    },
    getReader() {
      const reader = body.getReader();
      return {
        read: () => reader.read(),
        cancel: (reason) => reader.cancel(reason),
        releaseLock() {
          reader.releaseLock();
          ended();
        },
      };
    },
  };
}
