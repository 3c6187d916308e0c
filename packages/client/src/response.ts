// connection → events → [response] → application: what a client receives

import type { Headers, ResponseEvent } from "@upgrade/core";
import {
  INSPECT,
  type Incoming,
  type Inspect,
  type Reading,
  ReceivedMessage,
  shown,
} from "@upgrade/core/io";

/** An interim response (1xx). */
export interface InterimResponse {
  readonly status: number;
  readonly reason: string;
  readonly headers: Headers;
}

/** A received response. Read or cancel its body before using the connection again. */
export class ClientResponse extends ReceivedMessage {
  readonly status: number;
  /** The reason phrase as received; may be empty. */
  readonly reason: string;

  /** @internal Created by the client. */
  constructor(event: ResponseEvent, incoming: Incoming, reading: Reading) {
    super(event, incoming, reading);
    this.status = event.status;
    this.reason = event.reason;
  }

  /** @internal */
  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const { status, reason, version, headers, body } = this;
    const facts = { status, reason, version, headers, body };
    return shown("ClientResponse", facts, depth, options, inspect);
  }
}
