// driver → incoming → [received message] → application: what requests and responses have in common

import type { Version } from "../events.ts";
import type { Framing } from "../framing.ts";
import type { Headers } from "../headers.ts";
import { Body } from "./body.ts";
import type { Incoming } from "./incoming.ts";

/**
 * A received message. Its body and trailers are made when they are asked for: most requests have
 * neither.
 */
export abstract class ReceivedMessage {
  readonly version: Version;
  readonly headers: Headers;
  readonly #incoming: Incoming;
  #body: Body | undefined;

  /** @internal Messages are made by connections. */
  constructor(head: { version: Version; headers: Headers }, incoming: Incoming) {
    this.version = head.version;
    this.headers = head.headers;
    this.#incoming = incoming;
  }

  /** How the end of the body is known: by a length, by chunks, by the end of the connection. */
  get framing(): Framing {
    return this.#incoming.framing;
  }

  /** The body. Every message has one; without content it is empty. */
  get body(): Body {
    this.#body ??= new Body(this.#incoming);
    return this.#body;
  }

  /** The trailers, when the body has been read to its end; rejects if it never ends well. */
  get trailers(): Promise<Headers> {
    return this.#incoming.trailers;
  }
}
