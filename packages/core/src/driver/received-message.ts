// driver → incoming → [received message] → application: common to requests and responses

import type { Framing } from "../message/framing.ts";
import type { Headers } from "../message/headers.ts";
import type { Version } from "../message/version.ts";
import { Body } from "./body.ts";
import type { Incoming } from "./incoming.ts";
import type { Reading } from "./reading.ts";

/**
 * A received message. Its body and trailers are created on demand, since most requests have neither.
 */
export abstract class ReceivedMessage {
  readonly version: Version;
  readonly headers: Headers;
  readonly #incoming: Incoming;
  readonly #reading: Reading;
  #body: Body | undefined;

  /** @internal Created by connections. */
  constructor(head: { version: Version; headers: Headers }, incoming: Incoming, reading: Reading) {
    this.version = head.version;
    this.headers = head.headers;
    this.#incoming = incoming;
    this.#reading = reading;
  }

  /** How the body is delimited: by length, by chunks, or by the end of the connection. */
  get framing(): Framing {
    return this.#incoming.framing;
  }

  /** The body. Every message has one, possibly empty. */
  get body(): Body {
    this.#body ??= new Body(this.#incoming, this.#reading);
    return this.#body;
  }

  /** Resolves with the trailers when the message is complete; rejects if it fails. */
  get trailers(): Promise<Headers> {
    return this.#incoming.trailers;
  }
}
