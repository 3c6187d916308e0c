// request → [refusals] → response: why a server does not accept, in one sentence

import type { HttpVersion, Refusal, RefusingResponse } from "@upgrade/core";

interface RefusalEntry {
  readonly status: number;
  readonly says: string;
  readonly headers?: { readonly [name: string]: string };
}

// RFC 9110 §15.5.22: a 426 names what would be accepted. RFC 6455 §4.4: and which version.
const UPGRADE = { Upgrade: "websocket" };
const VERSION = { "Sec-WebSocket-Version": "13" };

// RFC 6455 §4.2.1, §4.2.2: every way in which a request is not the handshake of a client.
export const REFUSALS = {
  "old-http": { status: 400, says: "WebSocket needs HTTP/1.1 or later" },
  "wrong-method": { status: 405, says: "A WebSocket request is a GET", headers: { Allow: "GET" } },
  "no-proposal": {
    status: 426,
    says: "This is a WebSocket: a request must have Connection: Upgrade and Upgrade: websocket",
    headers: { ...UPGRADE, ...VERSION },
  },
  "repeated-field": { status: 400, says: "A WebSocket request has this field once" },
  "no-version": {
    status: 426,
    says: "A WebSocket request must have Sec-WebSocket-Version: 13",
    headers: { ...UPGRADE, ...VERSION },
  },
  "wrong-version": {
    status: 426,
    says: "Sec-WebSocket-Version must be 13, the version of RFC 6455",
    headers: { ...UPGRADE, ...VERSION },
  },
  "no-key": { status: 400, says: "A WebSocket request must have Sec-WebSocket-Key" },
  "wrong-key": { status: 400, says: "Sec-WebSocket-Key must be 16 bytes in base64" },
  "wrong-origin": { status: 403, says: "Pages of this origin may not open a WebSocket here" },
  "malformed-subprotocols": {
    status: 400,
    says: "Sec-WebSocket-Protocol must be a list of different tokens",
  },
  "malformed-extensions": {
    status: 400,
    says: "Sec-WebSocket-Extensions does not follow the grammar of RFC 6455, section 9.1",
  },
  "no-subprotocol": {
    status: 400,
    says: "Sec-WebSocket-Protocol must offer a subprotocol that this server speaks",
  },
} as const satisfies Record<string, RefusalEntry>;

/** Why a server refused a request. */
export type RefusalReason = keyof typeof REFUSALS;

/** The response that refuses a request, and why. */
export interface WebSocketRefusal extends Refusal {
  readonly reason: RefusalReason;
}

/** @param found What is meant by the sentence: a field, or what would be accepted. */
export function refusal(reason: RefusalReason, version: HttpVersion, found = ""): WebSocketRefusal {
  const { status, says, headers = {} }: RefusalEntry = REFUSALS[reason];
  const body = found === "" ? `${says}.\n` : `${says}: ${found}.\n`;
  const type = { "Content-Type": "text/plain; charset=utf-8" };
  const response: RefusingResponse = { status, headers: { ...headers, ...type }, body };
  if (version !== "2" || status !== 426) return { reason, refusal: response };
  // RFC 9113 §8.2.2, §8.6: HTTP/2 has no Upgrade, and hence no 426.
  return { reason, refusal: { status: 400, headers: { ...VERSION, ...type }, body } };
}
