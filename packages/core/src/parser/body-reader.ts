// bytes → [body reader] → events: reads the data of a body by its framing

import { RemoteProtocolError } from "../base/errors.ts";
import { type Limits, resolveLimits } from "../base/limits.ts";
import { type Framing, knownLength, NO_BODY } from "../message/framing.ts";
import { Headers } from "../message/headers.ts";
import { ChunkedReader } from "./chunked-reader.ts";
import { HeadParser } from "./head-parser.ts";

const NO_TRAILERS = Headers.from([]);
const CR = 0x0d;
const LF = 0x0a;

/**
 * Reads one body. Data is a view of the input, never a copy, and never parsed: a length is counted
 * down, and chunk lines are read between the data.
 */
export class BodyReader {
  readonly #limits: Limits;
  readonly #chunks: ChunkedReader | undefined;
  #left: number;
  #length = 0;
  #trailerParser: HeadParser<"trailers"> | undefined;

  /** The number of bytes the last {@link read} consumed. */
  consumed = 0;
  /** The trailers; undefined until the body is complete. */
  trailers: Headers | undefined;

  /** A reader for one body. */
  static of(framing: Framing, limits: Limits): BodyReader {
    return framing.kind === "none" ? EMPTY : new BodyReader(framing, limits);
  }

  constructor(framing: Framing, limits: Limits) {
    this.#limits = limits;
    this.#chunks = framing.kind === "chunked" ? new ChunkedReader(limits) : undefined;
    this.#left = knownLength(framing) ?? Infinity;
    if (this.#left === 0) this.trailers = NO_TRAILERS;
    if (this.#left !== Infinity && this.#left > limits.maxBodyBytes) {
      throw new RemoteProtocolError("BODY_TOO_LARGE", `Content-Length ${this.#left}`);
    }
  }

  /** Whether the end of the connection completes the body. */
  get endsWithConnection(): boolean {
    return this.#chunks === undefined && this.#left === Infinity;
  }

  /** Whether the last chunk was read and the trailer section is incomplete. */
  get trailersAwaited(): boolean {
    return this.trailers === undefined && this.#chunks?.atTrailers === true;
  }

  /** The bytes of an incomplete trailer section. */
  get held(): Uint8Array | undefined {
    return this.#trailerParser?.held;
  }

  /** Removes and returns {@link held}. */
  takeHeld(): Uint8Array | undefined {
    return this.#trailerParser?.takeHeld();
  }

  /**
   * The next data in `bytes`, from `from` on; undefined if there is none: then either
   * {@link trailers} is set, or the input is used up.
   *
   * @throws {RemoteProtocolError} with `offset` counted from `from`; {@link consumed} is then the
   *   number of bytes read before the fault.
   */
  read(bytes: Uint8Array, from: number): Uint8Array | undefined {
    if (this.#chunks !== undefined) return this.#readChunked(this.#chunks, bytes, from);
    const data = this.#take(bytes, from, from, this.#left);
    this.#left -= data.length;
    if (this.#left === 0) this.trailers = NO_TRAILERS;
    return data.length === 0 ? undefined : data;
  }

  #readChunked(chunks: ChunkedReader, bytes: Uint8Array, from: number): Uint8Array | undefined {
    let at = from;
    if (chunks.dataLeft === 0 && !chunks.atTrailers) at = this.#readChunkLine(chunks, bytes, from);
    if (chunks.dataLeft > 0 && at < bytes.length) {
      const data = this.#take(bytes, from, at, chunks.dataLeft);
      chunks.take(data.length);
      return data;
    }
    this.consumed = at - from;
    if (chunks.atTrailers && at < bytes.length) this.#readTrailers(bytes, at, from);
    return undefined;
  }

  #readChunkLine(chunks: ChunkedReader, bytes: Uint8Array, from: number): number {
    try {
      return chunks.read(bytes, from);
    } catch (error) {
      if (!(error instanceof RemoteProtocolError)) throw error;
      this.consumed = (error.offset ?? from) - from;
      error.offset = this.consumed;
      throw error;
    }
  }

  // Data from `at` on: at most `left` bytes, and none beyond maxBodyBytes.
  #take(bytes: Uint8Array, from: number, at: number, left: number): Uint8Array {
    const room = this.#limits.maxBodyBytes - this.#length;
    this.consumed = at - from;
    if (room === 0 && at < bytes.length && left > 0) {
      throw new RemoteProtocolError("BODY_TOO_LARGE", "", { offset: this.consumed });
    }
    const length = Math.min(bytes.length - at, left, room);
    this.#length += length;
    this.consumed += length;
    return bytes.subarray(at, at + length);
  }

  #readTrailers(bytes: Uint8Array, at: number, from: number): void {
    // Nearly every chunked body ends without trailers.
    if (this.#trailerParser === undefined && bytes[at] === CR && bytes[at + 1] === LF) {
      this.consumed = at + 2 - from;
      this.trailers = NO_TRAILERS;
      return;
    }
    this.#trailerParser ??= new HeadParser("trailers", this.#limits);
    const held = this.#trailerParser.held.length;
    try {
      this.trailers = this.#trailerParser.read(bytes, at)?.headers;
    } catch (error) {
      throw inTrailers(error, at - from - held);
    }
    this.consumed = at - from + this.#trailerParser.consumed;
  }
}

// The reader of an empty body has no state: one serves all. It is not a static field, because the
// CommonJS build initializes those before the class can be used.
const EMPTY = new BodyReader(NO_BODY, resolveLimits());

// The parser counts from the start of the section, the caller from the start of this read.
function inTrailers(error: unknown, by: number): unknown {
  if (error instanceof RemoteProtocolError) error.offset = (error.offset ?? 0) + by;
  return error;
}
