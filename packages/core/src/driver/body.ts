// driver → incoming → [body] → application: the reader's end of a received body

import { LocalProtocolError, RemoteProtocolError } from "../base/errors.ts";
import { INSPECT, type Inspect, shown } from "../base/inspect.ts";
import { concat, utf8ToText } from "../base/octets.ts";
import { checkOptions, type Kinds, SIZE } from "../base/options.ts";
import { handled, settled } from "../transports/deferred.ts";
import type { ByteReadableStream } from "../transports/platform-types.ts";
import { readableOf } from "../transports/readable.ts";
import { type BodyDisposal, END, type Incoming, type Read } from "./incoming.ts";
import type { Reading } from "./reading.ts";

/** Limits for collecting a body. */
export interface CollectOptions {
  /** Default 1 MiB. */
  readonly maxBytes?: number | undefined;
}

const NO_OPTIONS: CollectOptions = {};
const COLLECT_OPTIONS: Kinds<CollectOptions> = { maxBytes: SIZE };

/** The default limit of `bytes`, `text` and `json`: 1 MiB. */
const MAX_COLLECTED_BYTES = 1_048_576;

/**
 * A received body: an async iterable of bytes that can be read once.
 *
 * Each chunk is a view of what the transport delivered. Leaving a `for await` early calls
 * {@link cancel}. A body that fails yields what was received, then throws.
 */
export class Body implements AsyncIterable<Uint8Array> {
  /** The length in bytes; undefined if not known in advance. */
  readonly length: number | undefined;
  readonly #incoming: Incoming;
  readonly #reading: Reading;

  /** @internal Created by connections. */
  constructor(incoming: Incoming, reading: Reading) {
    this.#incoming = incoming;
    this.#reading = reading;
    this.length = incoming.length;
  }

  /** Whether some of it has arrived, or all if it is empty. */
  get hasBegun(): boolean {
    return this.#incoming.hasBegun;
  }

  /** Whether it has or had a reader. */
  get used(): boolean {
    return this.#incoming.isRead;
  }

  /**
   * @throws {LocalProtocolError} `BODY_USED`, from the first `next()`: it already has a reader.
   */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    const incoming = this.#incoming;
    const second = incoming.isRead;
    incoming.isRead = true;
    return {
      next: () => (second ? Promise.reject(new LocalProtocolError("BODY_USED")) : this.#next()),
      return: async () => {
        if (!second) await this.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  #next(): Promise<Read> {
    const incoming = this.#incoming;
    const chunk = incoming.take();
    if (chunk !== undefined) {
      this.#reading.bodyTaken();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (incoming.failure !== undefined) return Promise.reject(incoming.failure);
    if (incoming.isOver) return Promise.resolve(END);
    const next = incoming.next();
    this.#reading.bodyWanted();
    return next;
  }

  /**
   * Collects the whole body.
   *
   * @param options.maxBytes Default 1 MiB.
   * @throws {RemoteProtocolError} `BODY_TOO_LARGE`; the rest is then discarded as by {@link cancel}.
   *   If a service throws this error, the response is a 413.
   * @throws {LocalProtocolError} `BODY_USED`, `INVALID_OPTION`.
   */
  bytes(options: CollectOptions = NO_OPTIONS): Promise<Uint8Array> {
    return this.#all(options, (bytes) => bytes);
  }

  #all<T>(options: CollectOptions, make: (bytes: Uint8Array) => T): Promise<T> {
    try {
      checkOptions(options, COLLECT_OPTIONS);
    } catch (error) {
      return handled(Promise.reject(error));
    }
    const maxBytes = options.maxBytes ?? MAX_COLLECTED_BYTES;
    if (this.#isHere(maxBytes)) return settled(() => make(this.#takeAll()));
    return handled(this.#collect(maxBytes, make));
  }

  #takeAll(): Uint8Array {
    this.#incoming.isRead = true;
    const all = this.#incoming.takeAll();
    this.#reading.bodyTaken();
    return all;
  }

  async #collect<T>(maxBytes: number, make: (bytes: Uint8Array) => T): Promise<T> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this) {
      length += chunk.length;
      if (length > maxBytes) throw this.#reject(tooLarge(maxBytes), 413);
      chunks.push(chunk);
    }
    return make(concat(chunks));
  }

  #reject(error: Error, status: number): Error {
    this.#incoming.rejection = { error, status };
    return error;
  }

  // Most bodies have arrived in full by the time they are read.
  #isHere(maxBytes: number): boolean {
    const { isComplete, isRead, queuedBytes } = this.#incoming;
    return isComplete && !isRead && queuedBytes <= maxBytes;
  }

  /** Collects the body as UTF-8 text. Throws like {@link bytes}. */
  text(options: CollectOptions = NO_OPTIONS): Promise<string> {
    return this.#all(options, utf8ToText);
  }

  /**
   * Collects the body and parses it as JSON. Throws like {@link bytes}, and a `SyntaxError` if it
   * does not parse; if a service throws that error, the response is a 400.
   */
  json(options?: CollectOptions): Promise<unknown> {
    return handled(this.text(options).then((text) => this.#parse(text)));
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw this.#reject(error as SyntaxError, 400);
    }
  }

  /** The body as a WHATWG stream; canceling the stream cancels the body. */
  stream(): ByteReadableStream {
    const iterator = this[Symbol.asyncIterator]();
    return readableOf(
      () => iterator.next(),
      () => iterator.return?.(),
    );
  }

  /** @internal */
  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const { length, used } = this;
    const { queuedBytes, isComplete } = this.#incoming;
    return shown("Body", { length, used, queuedBytes, isComplete }, depth, options, inspect);
  }

  /**
   * Discards the rest of the body: it is drained, up to `maxDrainBytes`, or the connection ends.
   * Resolves with which of the two happened.
   */
  cancel(): Promise<BodyDisposal> {
    const incoming = this.#incoming;
    incoming.isRead = true;
    if (incoming.isComplete) return Promise.resolve("drained");
    if (incoming.failure !== undefined) return Promise.resolve("closed");
    incoming.discard();
    return this.#reading.discardBody();
  }
}

function tooLarge(maxBytes: number): RemoteProtocolError {
  return new RemoteProtocolError("BODY_TOO_LARGE", `over ${maxBytes}`);
}
