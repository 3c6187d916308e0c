// response → [handshake error] → application: why a client does not accept what a server answered

// Every reason, and what to do about it.
export const REASONS = {
  "no-random-bytes":
    "a key needs random bytes: define globalThis.crypto.getRandomValues before the first request (Node has it from version 20 on)",
  "no-accept-key":
    "the response has no Sec-WebSocket-Accept, so what accepted is not a WebSocket server; check the address, and the proxies on the way",
  "wrong-accept-key":
    "Sec-WebSocket-Accept does not belong to this request's key: the response is of another request, from a cache for example; check the server, and the proxies on the way",
  "repeated-field": "the response has this field more than once; the server must send it once",
  "no-subprotocol":
    "the server chose no subprotocol; offer one that it speaks, or do not set requireSubprotocol",
  "unknown-subprotocol":
    "the server chose a subprotocol that was not offered; offer it in subprotocols if you speak it",
  "malformed-extensions": "Sec-WebSocket-Extensions does not follow the grammar of RFC 6455 §9.1",
  "unknown-extension":
    "the server chose an extension that was not offered; turn it off there, or offer permessage-deflate with perMessageDeflate if that is the one",
  "repeated-extension": "the server chose permessage-deflate twice; it must choose it once",
  "wrong-deflate-parameters":
    "the server's parameters of permessage-deflate do not fit the offer; change perMessageDeflate here, or turn it off on one end",
} as const;

/** Why a handshake failed on the client. */
export type HandshakeFailure = keyof typeof REASONS;

/** The server accepted, but not as RFC 6455 requires. The connection must not be used. */
export class WebSocketHandshakeError extends Error {
  readonly reason: HandshakeFailure;

  /** @param found What was received or expected, for the message. */
  constructor(reason: HandshakeFailure, found = "") {
    super(found === "" ? REASONS[reason] : `${REASONS[reason]}: ${found}`);
    this.reason = reason;
  }

  static {
    // A bundler may rename the class.
    Object.defineProperty(this.prototype, "name", { value: "WebSocketHandshakeError" });
  }
}
