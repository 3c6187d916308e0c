// events → [request] → service: what a service sees and can do

import type { HeadersInit, Proposal, RequestEvent } from "@upgrade/core";
import {
  ANY,
  type Connection,
  INSPECT,
  type Incoming,
  type Inspect,
  type Kinds,
  type Parts,
  type Reading,
  ReceivedMessage,
  shown,
} from "@upgrade/core/io";
import type { Exchange } from "./exchange.ts";

/** Options of `switchTo`. */
export interface SwitchOptions {
  /** The reason phrase. Default: that of RFC 9110 for the status. */
  readonly reason?: string | undefined;
  readonly headers?: HeadersInit | undefined;
  /** The new protocol's first bytes, in the same write as the head. Text is UTF-8. */
  readonly firstBytes?: Uint8Array | string | undefined;
}

export const SWITCH_OPTIONS: Kinds<SwitchOptions> = {
  reason: ANY,
  headers: ANY,
  firstBytes: ANY,
};

/** A received request. */
export class ServerRequest<IO> extends ReceivedMessage {
  readonly method: string;
  /** The request target, verbatim. */
  readonly target: string;
  /** What the client offers to switch to, if anything. */
  readonly proposal: Proposal | undefined;
  // Only these members, so that a service for any io fits every io.
  readonly #exchange: Pick<
    Exchange<IO>,
    "client" | "connection" | "sendInterim" | "switchTo" | "takeOver"
  >;

  /** @internal Created by the server. */
  constructor(event: RequestEvent, incoming: Incoming, reading: Reading, exchange: Exchange<IO>) {
    super(event, incoming, reading);
    this.method = event.method;
    this.target = event.target;
    this.proposal = event.proposal;
    this.#exchange = exchange;
  }

  /** @internal */
  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const { method, target, version, headers, proposal, body } = this;
    const facts = { method, target, version, headers, proposal, body };
    return shown("ServerRequest", facts, depth, options, inspect);
  }

  /** The connection that received the request. */
  get connection(): Connection<IO> {
    return this.#exchange.connection;
  }

  /** Aborts when the peer is gone or its body is malformed: the response will not be read. */
  get signal(): AbortSignal {
    return this.#exchange.client.signal;
  }

  /** The client has ended its side. It may still read the response. */
  get peerEnded(): boolean {
    return this.#exchange.client.ended;
  }

  /**
   * Sends an interim response, without `Connection` and the fields named by it. Returns false, and
   * sends nothing, to an HTTP/1.0 client and for a 100 that the client does not wait for.
   *
   * @throws {LocalProtocolError} `INVALID_STATUS` for 101 and outside 100 to 199; `WRONG_MOMENT`
   *   after the final head; `INVALID_HEADER`, `INVALID_FRAMING` for its headers.
   */
  sendInterim(status: number, headers?: HeadersInit): boolean {
    return this.#exchange.sendInterim(status, headers);
  }

  /**
   * Accepts the proposal: drains the request's body, sends the 101 (for CONNECT a 200), waits until
   * the transport has accepted it, and releases the io. The service must then return nothing.
   *
   * @param protocol An offered protocol; undefined for CONNECT.
   * @throws {LocalProtocolError} `NO_PROPOSAL`, `NOT_OFFERED`, `INVALID_HEADER`, …: nothing was
   *   written, and the service may still respond. `ALREADY_ANSWERED`: it has responded.
   */
  switchTo(protocol?: string, options: SwitchOptions = {}): Promise<Parts<IO>> {
    return this.#exchange.switchTo(protocol, options);
  }

  /**
   * Takes the io with the proposal unanswered, after all earlier responses and the request's body.
   * The caller must write the response.
   *
   * @throws {LocalProtocolError} `NO_PROPOSAL`, `ALREADY_ANSWERED`.
   */
  takeOver(): Promise<Parts<IO>> {
    return this.#exchange.takeOver();
  }
}
