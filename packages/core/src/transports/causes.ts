// transport → [causes] → driver: turns any thrown value into an error

import { CONNECTION_CODES } from "../base/codes.ts";
import { ConnectionError } from "../base/errors.ts";

// Under Jest, errors of Node's sockets come from another realm.
function isError(reason: unknown): reason is Error {
  if (reason instanceof Error) return true;
  try {
    return Object.prototype.toString.call(reason) === "[object Error]";
  } catch {
    return false;
  }
}

/** The message of a thrown value. Reading it may throw. */
export function messageOf(reason: unknown): string {
  try {
    return String(isError(reason) ? reason.message : reason);
  } catch {
    return "an unreadable error";
  }
}

/** Converts a thrown value to an error. */
export function asError(reason: unknown): Error {
  return isError(reason) ? reason : new Error(messageOf(reason));
}

/**
 * The failure of a transport. `reason` may be the error of another connection, annotated with that
 * connection's state (`sent`, `bytesRead`), so it is always the cause, never the error itself.
 */
export function transportFailed(reason: unknown): ConnectionError {
  const detail = isError(reason) ? unprefixed(messageOf(reason)) : "closed";
  return new ConnectionError("TRANSPORT_FAILED", detail, { cause: reason });
}

// Strips the prefix that the new error adds again.
function unprefixed(message: string): string {
  const { says } = CONNECTION_CODES.TRANSPORT_FAILED;
  if (message === says) return "";
  return message.startsWith(`${says}: `) ? message.slice(says.length + 2) : message;
}
