// options → [websocket] → both ends: RFC 6455's opening handshake as a protocol

import type { Acceptance, HttpVersion, Offer, ProposedRequest, Protocol } from "@upgrade/core";
import { accept } from "./accepting.ts";
import type { WebSocketAgreement } from "./agreement.ts";
import { offer } from "./offering.ts";
import { resolve, type WebSocketOptions } from "./options.ts";
import type { WebSocketRefusal } from "./refusals.ts";

/** WebSocket as a protocol: for `switching()` on a server, and for `upgrade()` on a client. */
export interface WebSocketProtocol extends Protocol<WebSocketAgreement> {
  readonly token: "websocket";
  /**
   * A new key, the subprotocols and the extensions; its `verify` throws a
   * {@link WebSocketHandshakeError} with the reason.
   *
   * @throws {WebSocketHandshakeError} `no-random-bytes`: the runtime has no
   *   `crypto.getRandomValues`.
   * @throws {LocalProtocolError} `INVALID_OPTION`: `subprotocols` is a function.
   */
  offer(version: HttpVersion): Offer<WebSocketAgreement>;
  /**
   * @throws {LocalProtocolError} `INVALID_OPTION`: a function in the options returned a promise, or
   *   something else that it may not.
   */
  accept(request: ProposedRequest): Acceptance<WebSocketAgreement> | WebSocketRefusal;
}

/**
 * The opening handshake of WebSocket (RFC 6455 §4), and compression (RFC 7692 §7.1). Frames are not
 * its work: see {@link adopt}, or give the parts to a library of your choice.
 *
 * @throws {LocalProtocolError} `INVALID_OPTION`.
 */
export function websocket(options: WebSocketOptions = {}): WebSocketProtocol {
  const resolved = resolve(options);
  return {
    token: "websocket",
    offer: (version) => offer(version, resolved),
    accept: (request) => accept(request, resolved),
  };
}
