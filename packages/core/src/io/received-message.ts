// events → [received message] → application: what requests and responses have in common

import type { RemoteProtocolError } from "../errors.ts";
import type { Version } from "../events.ts";
import type { Framing } from "../framing.ts";
import type { Headers } from "../headers.ts";
import { Body, type BodyOwner } from "./body.ts";
import { Deferred } from "./deferred.ts";

/**
 * A message that is being received. Body and trailers are made when somebody asks for them: most
 * requests have neither, and nobody asks.
 */
export abstract class ReceivedMessage {
  readonly version: Version;
  readonly headers: Headers;
  readonly #framing: Framing;
  readonly #owner: BodyOwner;
  #body: Body | undefined;
  #trailers: Deferred<Headers> | undefined;
  #received: Headers | undefined;
  #failure: unknown;
  #discarded = false;
  #begun = false;
  /** @internal The rest of the body is not worth reading. */
  isGivenUp = false;

  constructor(head: { version: Version; headers: Headers; framing: Framing }, owner: BodyOwner) {
    this.version = head.version;
    this.headers = head.headers;
    this.#framing = head.framing;
    this.#owner = owner;
  }

  /** The body. It is there for every message; without content it is empty. */
  get body(): Body {
    if (this.#body !== undefined) return this.#body;
    this.#body = new Body(this.#owner, lengthOf(this.#framing));
    if (this.#discarded) this.#body.discard();
    if (this.#received !== undefined) this.#body.end();
    else if (this.#failure !== undefined) this.#body.fail(this.#failure);
    return this.#body;
  }

  /** The trailers, when the body has been read to its end; rejects if it never ends well. */
  get trailers(): Promise<Headers> {
    if (this.#trailers === undefined) {
      this.#trailers = new Deferred();
      if (this.#received !== undefined) this.#trailers.resolve(this.#received);
      else if (this.#failure !== undefined) this.#trailers.reject(this.#failure);
    }
    return this.#trailers.promise;
  }

  /** @internal How the body is framed on the wire. */
  get framing(): Framing {
    return this.#framing;
  }

  /** @internal The last byte of the message has come. */
  get isComplete(): boolean {
    return this.#received !== undefined;
  }

  /** @internal Some of the body has come. */
  get hasBegun(): boolean {
    return this.#begun || this.isComplete;
  }

  /** @internal The body was given to a reader. */
  get isRead(): boolean {
    return this.#body?.used === true;
  }

  /** @internal Why its body was not collected, if somebody tried. */
  get refusal(): RemoteProtocolError | undefined {
    return this.#body?.refusal;
  }

  /** @internal Bytes that wait for the reader. */
  get queuedBytes(): number {
    return this.#body?.queuedBytes ?? 0;
  }

  /** @internal */
  push(bytes: Uint8Array): void {
    this.#begun = true;
    this.body.push(bytes);
  }

  /** @internal */
  end(trailers: Headers): void {
    this.#received = trailers;
    this.#body?.end();
    this.#trailers?.resolve(trailers);
  }

  /** @internal */
  fail(error: unknown): void {
    this.#failure = error;
    this.#body?.fail(error);
    this.#trailers?.reject(error);
  }

  /** @internal What comes from now on is thrown away. */
  discard(): void {
    this.#discarded = true;
    this.#body?.discard();
  }
}

function lengthOf(framing: Framing): number | undefined {
  if (framing.kind === "content-length") return framing.length;
  return framing.kind === "none" ? 0 : undefined;
}
