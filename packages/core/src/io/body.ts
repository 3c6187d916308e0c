// events → [body] → application: a received body, with one reader and a bounded queue

import { LocalProtocolError, RemoteProtocolError } from "../errors.ts";
import { concat, utf8ToText } from "../octets.ts";
import { checkOptions, type Kinds, SIZE } from "../options.ts";
import { Deferred, handled, settled } from "./deferred.ts";
import type { ByteReadableStream } from "./platform-types.ts";
import { readableOf } from "./readable.ts";

/** What a body needs of the connection it comes from. */
export interface BodyOwner {
  /** Somebody wants bytes that are not here: a client that waits for 100 may be told to go on. */
  bodyWanted(): void;
  /** Bytes were taken out of the queue. */
  bodyTaken(): void;
  /** Nobody wants the rest. Tells how it ends. */
  discardBody(): Promise<BodyDisposal>;
}

/** How the rest of a body that nobody wants ended: read and thrown away, or with its connection. */
export type BodyDisposal = "drained" | "closed";

/** How much of a body is collected. */
export interface CollectOptions {
  /** Default 1 MiB. */
  readonly maxBytes?: number | undefined;
}

const NO_OPTIONS: CollectOptions = {};
const COLLECT_OPTIONS: Kinds<CollectOptions> = { maxBytes: SIZE };

/** One mebibyte: what `bytes`, `text` and `json` take unless told otherwise. */
const MAX_COLLECTED_BYTES = 1_048_576;

/**
 * A received body: an async iterable of bytes, to be read once.
 *
 * Each chunk is a view of what the transport delivered. Leaving a `for await` early is
 * {@link cancel}. A body that fails throws the error that ended it.
 */
export class Body implements AsyncIterable<Uint8Array> {
  /** How many bytes there will be; undefined where only its end will tell. */
  readonly length: number | undefined;
  readonly #owner: BodyOwner;
  #chunks: Uint8Array[] = [];
  #queued = 0;
  #complete = false;
  #failure: unknown;
  #reader = false;
  #discarded = false;
  #waiting: Deferred<IteratorResult<Uint8Array, undefined>> | undefined;
  /** @internal Why `bytes` gave up. */
  refusal: RemoteProtocolError | undefined;

  /** @internal Bodies are made by connections. */
  constructor(owner: BodyOwner, length: number | undefined) {
    this.#owner = owner;
    this.length = length;
  }

  /** Whether it has, or had, a reader. */
  get used(): boolean {
    return this.#reader;
  }

  /** @internal Bytes that wait for the reader. */
  get queuedBytes(): number {
    return this.#queued;
  }

  /** @internal */
  push(chunk: Uint8Array): void {
    const waiting = this.#waiting;
    if (waiting !== undefined) {
      this.#waiting = undefined;
      waiting.resolve({ done: false, value: chunk });
      return;
    }
    this.#chunks.push(chunk);
    this.#queued += chunk.length;
  }

  /** @internal */
  end(): void {
    this.#complete = true;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }

  /** @internal What was queued is still delivered in front of the error. */
  fail(error: unknown): void {
    this.#failure = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  /**
   * @throws {LocalProtocolError} `BODY_USED`, from the first `next()`: it has a reader already.
   */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    const second = this.#reader;
    this.#reader = true;
    return {
      next: () => (second ? Promise.reject(new LocalProtocolError("BODY_USED")) : this.#next()),
      return: async () => {
        if (!second) await this.cancel();
        return { done: true, value: undefined };
      },
    };
  }

  #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    const chunk = this.#chunks.shift();
    if (chunk !== undefined) {
      this.#queued -= chunk.length;
      this.#owner.bodyTaken();
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#complete || this.#discarded) return Promise.resolve({ done: true, value: undefined });
    this.#waiting ??= new Deferred();
    const { promise } = this.#waiting;
    this.#owner.bodyWanted();
    return promise;
  }

  /**
   * All of it.
   *
   * @param options.maxBytes Default 1 MiB.
   * @throws {RemoteProtocolError} `BODY_TOO_LARGE`; the rest is then given up as by {@link cancel}.
   *   A service that lets this one through answers 413.
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

  async #collect<T>(maxBytes: number, make: (bytes: Uint8Array) => T): Promise<T> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this) {
      length += chunk.length;
      if (length > maxBytes) {
        this.refusal = new RemoteProtocolError("BODY_TOO_LARGE", `over ${maxBytes}`);
        throw this.refusal;
      }
      chunks.push(chunk);
    }
    return make(concat(chunks));
  }

  // Most are here as a whole when somebody asks.
  #isHere(maxBytes: number): boolean {
    return this.#complete && !this.#reader && this.#queued <= maxBytes;
  }

  #takeAll(): Uint8Array {
    this.#reader = true;
    const all = concat(this.#chunks);
    this.#chunks = [];
    this.#queued = 0;
    this.#owner.bodyTaken();
    return all;
  }

  /** All of it, as UTF-8. Throws as {@link bytes}. */
  text(options: CollectOptions = NO_OPTIONS): Promise<string> {
    return this.#all(options, utf8ToText);
  }

  /** All of it, as JSON in UTF-8. Throws as {@link bytes}, and `SyntaxError`. */
  json(options?: CollectOptions): Promise<unknown> {
    return handled(this.text(options).then((text): unknown => JSON.parse(text)));
  }

  /** All of it as a WHATWG stream; cancelling that cancels the body. */
  stream(): ByteReadableStream {
    const iterator = this[Symbol.asyncIterator]();
    return readableOf(
      () => iterator.next(),
      () => iterator.return?.(),
    );
  }

  /**
   * Gives up the rest: it is read and thrown away up to `maxDrainBytes`, or the connection ends.
   * Resolves with which of the two it was.
   */
  cancel(): Promise<BodyDisposal> {
    this.#reader = true;
    if (this.#complete) return Promise.resolve("drained");
    if (this.#failure !== undefined) return Promise.resolve("closed");
    this.discard();
    return this.#owner.discardBody();
  }

  /** @internal What comes from now on is thrown away. */
  discard(): void {
    this.#discarded = true;
    this.#chunks = [];
    this.#queued = 0;
    this.#waiting?.resolve({ done: true, value: undefined });
    this.#waiting = undefined;
  }
}
