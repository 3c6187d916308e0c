// application → [sender] → client side: sends requests in turn

import { INSPECT, type Inspect, shown } from "@upgrade/core/io";
import type { ClientSide } from "./client-side.ts";
import type { ClientRequest, SendOptions } from "./request.ts";
import type { ClientResponse } from "./response.ts";

/** Sends requests on one connection, one after another. */
export class Sender {
  readonly #side: ClientSide<unknown>;

  /** @internal Created by the handshake. */
  constructor(side: ClientSide<unknown>) {
    this.#side = side;
  }

  /**
   * Resolves when a request would be written at once: the previous one is answered, and the body of
   * its response has been read.
   *
   * @throws {ConnectionError} `NOT_SENT`: no more requests will be written.
   */
  ready(): Promise<void> {
    return this.#side.ready();
  }

  /** A request would be written at once. */
  get isReady(): boolean {
    return this.#side.isReady;
  }

  /** No more requests will be written. */
  get isClosed(): boolean {
    return this.#side.isClosed;
  }

  /**
   * Sends a request in its turn. Resolves with the head of the response. Rejects rather than throws.
   *
   * @throws {LocalProtocolError} The request may not be sent, or its signal threw; nothing was written.
   * @throws {RemoteProtocolError} The response violates the protocol.
   * @throws {ConnectionError} `QUEUE_FULL`, `NOT_SENT`, `CANCELED`, `TRANSPORT_FAILED`, …; `sent`
   *   and `responseSeen` tell whether the request may be repeated.
   */
  sendRequest(request: ClientRequest, options: SendOptions = {}): Promise<ClientResponse> {
    return this.#side.send(request, options);
  }

  /** @internal */
  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const { isReady, isClosed } = this;
    return shown("Sender", { isReady, isClosed }, depth, options, inspect);
  }
}
