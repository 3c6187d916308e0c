// serializer ← [body source] ← application: a body that was handed over, to be sent or released

import { LocalProtocolError } from "../errors.ts";
import type { BodyLength } from "../events.ts";
import { asBytes, bytesOfBuffer, isAscii, textToUtf8 } from "../octets.ts";
import { Body } from "./body.ts";
import { hasMethods } from "./byte-stream.ts";
import { handled } from "./deferred.ts";
import { guard } from "./guard.ts";

/** One piece of a streamed body. Text is sent as UTF-8. */
export type BodyPiece = string | Uint8Array;

/** What may be given as a body. A string or bytes have a length; the others end when they end. */
export type BodyInit =
  | string
  | Uint8Array
  | ArrayBuffer
  | Iterable<BodyPiece>
  | AsyncIterable<BodyPiece>
  | Body
  | ReadableStreamLike
  | null;

/** A WHATWG `ReadableStream`, by shape. */
export interface ReadableStreamLike {
  readonly locked?: boolean;
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
    cancel(reason?: unknown): Promise<unknown>;
    releaseLock(): void;
  };
}

/** What we use of a body that is a Node stream. */
interface Destroyable {
  destroy(): unknown;
}
interface Emitter extends Destroyable {
  on(event: string, listener: () => void): unknown;
  removeListener(event: string, listener: () => void): unknown;
}

/**
 * A body in our hands. A whole one is sent as it is. A streamed one has exactly one fate: it is read
 * to its end, released, or given back as it came.
 */
export class BodySource {
  readonly length: BodyLength;
  /** All of it, or undefined if it comes in pieces. Text has one character an octet. */
  readonly whole: string | Uint8Array | undefined;
  readonly #given: object | undefined;
  readonly #open: (() => AsyncIterator<unknown>) | undefined;
  #iterator: AsyncIterator<unknown> | undefined;
  #isOver = false;

  constructor(
    length: BodyLength,
    whole: string | Uint8Array | undefined,
    given?: object,
    open?: () => AsyncIterator<unknown>,
  ) {
    this.length = length;
    this.whole = whole;
    this.#given = given;
    this.#open = open;
    // A Node stream may fail before it is read: that must not end the process.
    if (given !== undefined && isEmitter(given)) given.on("error", silence);
  }

  /** It comes in pieces. */
  get isStreamed(): boolean {
    return this.#open !== undefined;
  }

  /** Its pieces are being read: it cannot be given back. */
  get hasBegun(): boolean {
    return this.#iterator !== undefined;
  }

  /** Its pieces, once. {@link end} is to be called after the last one. */
  begin(): AsyncIterator<unknown> {
    this.#iterator = this.#open!();
    return this.#iterator;
  }

  /** It was read to its end: there is nothing to release. */
  end(): void {
    this.#isOver = true;
  }

  /**
   * It will not be sent, or not to its end: whatever makes it is stopped, even while a piece is
   * awaited. Does nothing to a body that was read to its end, or released before.
   */
  release(): void {
    if (this.#given === undefined || this.#isOver) return;
    this.#isOver = true;
    release(this.#given, () => this.#iterator ?? this.#open?.());
  }

  /** It is its owner's again, as it came, but for a silent listener that leaves when the next comes. */
  giveBack(): void {
    const given = this.#given;
    if (given === undefined || this.#isOver) return;
    this.#isOver = true;
    if (!isEmitter(given)) return;
    // The owner may only just have learned of it, and the stream may fail now.
    guard(given);
    given.removeListener("error", silence);
  }
}

const EMPTY = new BodySource(0, undefined);

function silence(): void {
  // The reader of the body gets the error from its iterator.
}

/**
 * Takes a body over. One that is refused is released, unless it has another reader.
 *
 * @throws {LocalProtocolError} `INVALID_BODY`, `BODY_USED`.
 */
export function bodySource(body: BodyInit | undefined): BodySource {
  if (body === undefined || body === null || body === "") return EMPTY;
  if (typeof body === "string") return wholeSource(toOctets(body));
  const bytes = asBytes(body) ?? bytesOfBuffer(body);
  if (bytes !== undefined) return bytes.length === 0 ? EMPTY : wholeSource(bytes);
  // Its elements can be iterated, and are not pieces of a body.
  if (ArrayBuffer.isView(body)) throw new LocalProtocolError("INVALID_BODY", "not a Uint8Array");
  if (typeof body === "object") {
    if (body instanceof Body) return relaySource(body);
    // Before the iterators: their return() waits for the read that is pending.
    if ("getReader" in body) return readableSource(body);
    if (Symbol.asyncIterator in body) {
      return streamedSource(body, () => body[Symbol.asyncIterator]());
    }
    if (Symbol.iterator in body) return streamedSource(body, () => fromIterable(body));
    // A Writable, say: it was handed over all the same.
    new BodySource(0, undefined, body).release();
  }
  throw new LocalProtocolError("INVALID_BODY", typeof body);
}

/** Text as its own octets if it is ASCII, which spares an encoding and a second write. */
export function toOctets(piece: unknown): string | Uint8Array {
  if (typeof piece === "string") return isAscii(piece) ? piece : textToUtf8(piece);
  const bytes = asBytes(piece) ?? bytesOfBuffer(piece);
  if (bytes !== undefined) return bytes;
  throw new LocalProtocolError("INVALID_BODY", `a piece that is a ${typeof piece}`);
}

/** Releases what was given as a body, and may be none. */
export function releaseBody(body: unknown): void {
  try {
    bodySource(body as BodyInit).release();
  } catch {
    // It was refused, and released with that.
  }
}

function wholeSource(whole: string | Uint8Array): BodySource {
  return new BodySource(whole.length, whole);
}

function streamedSource(body: object, open: () => AsyncIterator<unknown>): BodySource {
  return new BodySource("unknown", undefined, body, open);
}

function readableSource(body: ReadableStreamLike): BodySource {
  if (body.locked === true) throw new LocalProtocolError("INVALID_BODY", "the stream is locked");
  return streamedSource(body, () => fromReadable(body));
}

// A received body keeps the length it came with.
function relaySource(body: Body): BodySource {
  if (body.length === 0) return EMPTY;
  if (body.used) throw new LocalProtocolError("BODY_USED");
  const length = body.length ?? "unknown";
  return new BodySource(length, undefined, body, () => body[Symbol.asyncIterator]());
}

function isDestroyable(body: object): body is Destroyable {
  return typeof (body as Partial<Destroyable>).destroy === "function";
}

function isEmitter(body: object): body is Emitter {
  return hasMethods(body, "destroy", "on", "removeListener");
}

// A Node stream is destroyed: its iterator's return() reaches nothing before the first piece, and
// waits while one is pending.
function release(given: object, iterate: () => AsyncIterator<unknown> | undefined): void {
  try {
    const released = isDestroyable(given) ? given.destroy() : iterate()?.return?.();
    handled(Promise.resolve(released));
  } catch {
    // It may fail as it likes: it is not ours any more.
  }
}

// No generator: its return() reaches nothing before the first piece.
function fromIterable(pieces: Iterable<unknown>): AsyncIterator<unknown> {
  const iterator = pieces[Symbol.iterator]();
  return {
    async next() {
      const { done, value } = iterator.next();
      return { done: done === true, value: await value };
    },
    async return() {
      iterator.return?.();
      return { done: true, value: undefined };
    },
  };
}

// No generator: its return() waits for the read that is pending.
function fromReadable(stream: ReadableStreamLike): AsyncIterator<unknown> {
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      if (!done) return { done, value };
      reader.releaseLock();
      return { done, value: undefined };
    },
    async return() {
      await reader.cancel();
      reader.releaseLock();
      return { done: true, value: undefined };
    },
  };
}
