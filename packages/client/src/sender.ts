// application → [sender] → client side: requests, sent in turn

import { INSPECT, type Inspect, shown } from "@upgrade/core/io";
import type { ClientSide } from "./client-side.ts";
import type { ClientRequest, SendOptions } from "./request.ts";
import type { ClientResponse } from "./response.ts";

/** Sends requests on one connection, one after the other. */
export class Sender {
  readonly #side: ClientSide<unknown>;

  /** @internal Made by the handshake. */
  constructor(side: ClientSide<unknown>) {
    this.#side = side;
  }

  /**
   * Resolves when a request would be written at once: the one before is answered, its response's
   * body read.
   *
   * @throws {ConnectionError} `NOT_SENT`: no request will be written any more.
   */
  ready(): Promise<void> {
    return this.#side.ready();
  }

  /** A request would be written at once. */
  get isReady(): boolean {
    return this.#side.isReady;
  }

  /** No request will be written any more. */
  get isClosed(): boolean {
    return this.#side.isClosed;
  }

  /**
   * Sends a request, in its turn. Resolves at the response's head. Never throws at once.
   *
   * @throws {LocalProtocolError} The request may not be sent, or its signal threw: nothing was written.
   * @throws {RemoteProtocolError} The response breaks the rules.
   * @throws {ConnectionError} `QUEUE_FULL`, `NOT_SENT`, `CANCELED`, `TRANSPORT_FAILED`, …; `sent`
   *   and `responseSeen` tell whether it may be repeated.
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
