// driver → incoming → [body] → application: the reader's end of a received body

import { LocalProtocolError, RemoteProtocolError } from "../errors.ts";
import { INSPECT, type Inspect, shown } from "../inspect.ts";
import { concat, utf8ToText } from "../octets.ts";
import { checkOptions, type Kinds, SIZE } from "../options.ts";
import { handled, settled } from "./deferred.ts";
import type { BodyDisposal, Incoming } from "./incoming.ts";
import type { ByteReadableStream } from "./platform-types.ts";
import { readableOf } from "./readable.ts";

/** How much of a body is collected. */
export interface CollectOptions {
  /** Default 1 MiB. */
  readonly maxBytes?: number | undefined;
}

const NO_OPTIONS: CollectOptions = {};
const COLLECT_OPTIONS: Kinds<CollectOptions> = { maxBytes: SIZE };

/** One mebibyte: what `bytes`, `text` and `json` take by default. */
const MAX_COLLECTED_BYTES = 1_048_576;

/**
 * A received body: an async iterable of bytes, to be read once.
 *
 * Each chunk is a view of what the transport delivered. Leaving a `for await` early is
 * {@link cancel}. A body that fails throws the error that ended it, after what came before.
 */
export class Body implements AsyncIterable<Uint8Array> {
  /** How many bytes there will be; undefined if only the end will tell. */
  readonly length: number | undefined;
  readonly #incoming: Incoming;

  /** @internal Bodies are made by connections. */
  constructor(incoming: Incoming) {
    this.#incoming = incoming;
    this.length = incoming.length;
  }

  /** Whether it has, or had, a reader. */
  get used(): boolean {
    return this.#incoming.isRead;
  }

  /**
   * @throws {LocalProtocolError} `BODY_USED`, from the first `next()`: it has a reader already.
   */
  [Symbol.asyncIterator](): AsyncIterator<Uint8Array, undefined> {
    const incoming = this.#incoming;
    const second = incoming.isRead;
    incoming.isRead = true;
    return {
      next: () => (second ? Promise.reject(new LocalProtocolError("BODY_USED")) : incoming.next()),
      return: async () => {
        if (!second) await incoming.cancel();
        return { done: true, value: undefined };
      },
    };
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
    if (this.#isHere(maxBytes)) return settled(() => make(this.#incoming.takeAll()));
    return handled(this.#collect(maxBytes, make));
  }

  async #collect<T>(maxBytes: number, make: (bytes: Uint8Array) => T): Promise<T> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    for await (const chunk of this) {
      length += chunk.length;
      if (length > maxBytes) throw this.#refuse(tooLarge(maxBytes), 413);
      chunks.push(chunk);
    }
    return make(concat(chunks));
  }

  #refuse(error: Error, status: number): Error {
    this.#incoming.refusal = { error, status };
    return error;
  }

  // Most bodies are here as a whole when they are asked for.
  #isHere(maxBytes: number): boolean {
    const { isComplete, isRead, queuedBytes } = this.#incoming;
    return isComplete && !isRead && queuedBytes <= maxBytes;
  }

  /** All of it, as UTF-8. Throws as {@link bytes}. */
  text(options: CollectOptions = NO_OPTIONS): Promise<string> {
    return this.#all(options, utf8ToText);
  }

  /**
   * All of it, as JSON in UTF-8. Throws as {@link bytes}, and a `SyntaxError` if it does not parse;
   * a service that lets that one through answers 400.
   */
  json(options?: CollectOptions): Promise<unknown> {
    return handled(this.text(options).then((text) => this.#parse(text)));
  }

  #parse(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      throw this.#refuse(error as SyntaxError, 400);
    }
  }

  /** All of it as a WHATWG stream; cancelling that cancels the body. */
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
   * Gives up the rest: it is read and thrown away up to `maxDrainBytes`, or the connection ends.
   * Resolves with which of the two it was.
   */
  cancel(): Promise<BodyDisposal> {
    return this.#incoming.cancel();
  }
}

function tooLarge(maxBytes: number): RemoteProtocolError {
  return new RemoteProtocolError("BODY_TOO_LARGE", `over ${maxBytes}`);
}
