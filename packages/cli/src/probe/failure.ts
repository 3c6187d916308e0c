// errors → [failure] → facts: the code and the message that say most

import { WebSocketHandshakeError } from "@upgrade/websocket";
import type { Failure } from "../facts.ts";

interface Coded {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly cause?: unknown;
}

/** What failed, by the innermost error that has a code. */
export function failureOf(error: unknown): Failure {
  let found: Failure = { code: "UNKNOWN", message: String((error as Coded)?.message ?? error) };
  for (let one = error as Coded | undefined; one instanceof Object; one = one.cause as Coded) {
    if (one instanceof WebSocketHandshakeError) {
      return { code: "AGREEMENT_FAILED", message: one.message, reason: one.reason };
    }
    if (typeof one.code !== "string") continue;
    // When several addresses failed, Node's error has a code and no message.
    found = { code: one.code, message: plain(String(one.message || one.code)) };
  }
  return found;
}

// OpenSSL's messages: id:error:number:library:function:reason:file:line:
function plain(message: string): string {
  const [, reason] = /^[0-9A-F]+:error:[0-9A-F]+:[^:]*:[^:]*:([^:]*):/.exec(message) ?? [];
  return reason ?? message.trim();
}
