// random bytes → [key] → accept value: how a server proves that it read this request

import { base64 } from "./base64.ts";
import { WebSocketHandshakeError } from "./handshake-error.ts";
import { sha1 } from "./sha1.ts";

// RFC 6455 §1.3.
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// RFC 6455 §4.1: 16 bytes in base64.
const KEY = /^[+/0-9A-Za-z]{22}==$/;

interface Platform {
  readonly crypto?: { getRandomValues?(bytes: Uint8Array): Uint8Array };
}

/**
 * A key for one request.
 *
 * @throws {WebSocketHandshakeError} `no-random-bytes`.
 */
export function newKey(): string {
  // Looked up here: a runtime may define it after this module is loaded.
  const { crypto } = globalThis as unknown as Platform;
  if (typeof crypto?.getRandomValues !== "function") {
    throw new WebSocketHandshakeError("no-random-bytes");
  }
  return base64(crypto.getRandomValues(new Uint8Array(16)));
}

export function isKey(text: string): boolean {
  return KEY.test(text);
}

/** The Sec-WebSocket-Accept of a Sec-WebSocket-Key (RFC 6455 §4.2.2). */
export function acceptOf(key: string): string {
  return base64(sha1(Uint8Array.from(key + GUID, (character) => character.charCodeAt(0))));
}
