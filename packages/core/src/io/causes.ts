// transport → [causes] → driver: why something failed, whatever it is that was thrown

import { CONNECTION_CODES } from "../codes.ts";
import { ConnectionError } from "../errors.ts";

// Under Jest those of Node's sockets are of another realm.
function isError(reason: unknown): reason is Error {
  if (reason instanceof Error) return true;
  try {
    return Object.prototype.toString.call(reason) === "[object Error]";
  } catch {
    return false;
  }
}

/** The words of what was thrown. There are errors whose words cannot be read. */
export function wordsOf(reason: unknown): string {
  try {
    return String(isError(reason) ? reason.message : reason);
  } catch {
    return "something that cannot be read";
  }
}

/** What was thrown, as an error. */
export function asError(reason: unknown): Error {
  return isError(reason) ? reason : new Error(wordsOf(reason));
}

/**
 * The failure of one transport. What it failed with may be another connection's error, with that
 * one's facts (`sent`, `bytesRead`): so it is the cause, and never the error itself.
 */
export function transportFailed(reason: unknown): ConnectionError {
  const came = isError(reason) ? unprefixed(wordsOf(reason)) : "closed";
  return new ConnectionError("TRANSPORT_FAILED", came, { cause: reason });
}

// Of a failure that was passed on, the words that are not said again anyway.
function unprefixed(words: string): string {
  const { says } = CONNECTION_CODES.TRANSPORT_FAILED;
  if (words === says) return "";
  return words.startsWith(`${says}: `) ? words.slice(says.length + 2) : words;
}
