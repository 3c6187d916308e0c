// request → [fetch body] → handler: a request's body as a stream that is read only on demand

import { LocalProtocolError } from "@upgrade/core";
import { type ByteReadableStream, handled, readableOf } from "@upgrade/core/io";
import type { ServerRequest } from "./request.ts";

/** The body of a request, which its handler may read, leave, or stop reading. */
export class RequestBody {
  readonly #request: ServerRequest<unknown>;
  // None before the first read, so that a body without a reader is drained.
  #iterator: AsyncIterator<Uint8Array, undefined> | undefined;
  #isOver = false;
  #isClosed = false;

  constructor(request: ServerRequest<unknown>) {
    this.#request = request;
  }

  /** The stream; null for a request without a body, and for GET and HEAD. */
  get stream(): ByteReadableStream | null {
    const { method, framing } = this.#request;
    const isEmpty = framing.kind === "none" || this.#request.body.length === 0;
    // No Request with one of these methods has a body.
    if (isEmpty || method === "GET" || method === "HEAD") return null;
    return readableOf(
      () => this.#next(),
      () => this.#cancel(),
    );
  }

  async #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (this.#isClosed) throw tooLate();
    this.#iterator ??= this.#request.body[Symbol.asyncIterator]();
    const read = await this.#iterator.next();
    if (read.done !== true) return read;
    // What is discarded after the response must not look like the whole.
    if (this.#isClosed) throw tooLate();
    this.#isOver = true;
    return read;
  }

  // Not awaited: the rest may take long to arrive, and the response need not wait for it.
  #cancel(): void {
    this.#isOver = true;
    handled(this.#request.body.cancel());
  }

  /** The response has been sent: a body read in part is discarded, as one without a reader is. */
  close(): void {
    this.#isClosed = true;
    if (this.#iterator !== undefined && !this.#isOver) this.#cancel();
  }
}

function tooLate(): LocalProtocolError {
  return new LocalProtocolError("WRONG_MOMENT", "the request's body, after the response was sent");
}
