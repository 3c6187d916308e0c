// serializer ← [body source] ← application: a body to be sent or released

import { LocalProtocolError } from "../base/errors.ts";
import { asBytes, bytesOfBuffer, isAscii, textToUtf8 } from "../base/octets.ts";
import type { BodyLength } from "../message/events.ts";
import { hasMethods } from "../transports/byte-stream.ts";
import { handled } from "../transports/deferred.ts";
import { guard } from "../transports/guard.ts";
import { Body } from "./body.ts";

/** One piece of a streamed body. Text is sent as UTF-8. */
export type BodyPiece = string | Uint8Array;

/** Anything accepted as a body. A string or bytes have a known length; the others are streamed. */
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

/** The parts of a Node stream that we use. */
interface Destroyable {
  destroy(): unknown;
}
interface Emitter extends Destroyable {
  on(event: string, listener: () => void): unknown;
  removeListener(event: string, listener: () => void): unknown;
}

/**
 * A body we own. A whole body is sent as it is. A streamed one is either read to its end, released,
 * or returned to the caller untouched.
 */
export class BodySource {
  readonly length: BodyLength;
  /** The whole body, or undefined if it is streamed. Text has one character per octet. */
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
    // A Node stream that fails before it is read must not crash the process.
    if (given !== undefined && isEmitter(given)) given.on("error", silence);
  }

  /** The body comes in pieces. */
  get isStreamed(): boolean {
    return this.#open !== undefined;
  }

  /** Reading has begun, so the body can no longer be returned. */
  get hasBegun(): boolean {
    return this.#iterator !== undefined;
  }

  /** Starts reading. Call once, and call {@link end} after the last piece. */
  begin(): AsyncIterator<unknown> {
    this.#iterator = this.#open!();
    return this.#iterator;
  }

  /** The body was read to its end; there is nothing to release. */
  end(): void {
    this.#isOver = true;
  }

  /**
   * The body will not be sent, or not to its end: stops its producer, even while a piece is awaited.
   * Does nothing if the body was read to its end or already released.
   */
  release(): void {
    if (this.#given === undefined || this.#isOver) return;
    this.#isOver = true;
    release(this.#given, () => this.#iterator ?? this.#open?.());
  }

  /** Returns the body untouched, except for a no-op "error" listener on a stream (see {@link guard}). */
  returnToCaller(): void {
    const given = this.#given;
    if (given === undefined || this.#isOver) return;
    this.#isOver = true;
    if (!isEmitter(given)) return;
    // The stream may fail before the caller adds a listener.
    guard(given);
    given.removeListener("error", silence);
  }
}

const EMPTY = new BodySource(0, undefined);

function silence(): void {
  // The iterator reports the error.
}

/**
 * Takes ownership of a body. A refused body is released, unless it has another reader.
 *
 * @throws {LocalProtocolError} `INVALID_BODY`, `BODY_USED`.
 */
export function bodySource(body: BodyInit | undefined): BodySource {
  if (body === undefined || body === null || body === "") return EMPTY;
  if (typeof body === "string") return wholeSource(toOctets(body));
  const bytes = asBytes(body) ?? bytesOfBuffer(body);
  if (bytes !== undefined) return bytes.length === 0 ? EMPTY : wholeSource(bytes);
  // It is iterable, but its elements are not pieces of a body.
  if (ArrayBuffer.isView(body)) throw new LocalProtocolError("INVALID_BODY", "not a Uint8Array");
  if (typeof body === "object") {
    if (body instanceof Body) return relaySource(body);
    // Checked before iterators, whose return() waits for the pending read.
    if ("getReader" in body) return readableSource(body);
    if (Symbol.asyncIterator in body) {
      return streamedSource(body, () => body[Symbol.asyncIterator]());
    }
    if (Symbol.iterator in body) return streamedSource(body, () => fromIterable(body));
    // For example a Writable: we own it now, so destroy it.
    new BodySource(0, undefined, body).release();
  }
  throw new LocalProtocolError("INVALID_BODY", typeof body);
}

/** Converts a piece to octets. ASCII text stays text, which saves an encoding and a second write. */
export function toOctets(piece: unknown): string | Uint8Array {
  if (typeof piece === "string") return isAscii(piece) ? piece : textToUtf8(piece);
  const bytes = asBytes(piece) ?? bytesOfBuffer(piece);
  if (bytes !== undefined) return bytes;
  throw new LocalProtocolError("INVALID_BODY", `a piece is a ${typeof piece}`);
}

/** Releases anything passed as a body, valid or not. */
export function releaseBody(body: unknown): void {
  try {
    bodySource(body as BodyInit).release();
  } catch {
    // It was refused, which released it.
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

// A received body keeps the length it arrived with.
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

// A Node stream is destroyed: its iterator's return() has no effect before the first piece, and waits
// while one is pending.
function release(given: object, iterate: () => AsyncIterator<unknown> | undefined): void {
  try {
    const released = isDestroyable(given) ? given.destroy() : iterate()?.return?.();
    handled(Promise.resolve(released));
  } catch {
    // It is no longer ours; ignore the failure.
  }
}

// Not a generator: its return() has no effect before the first piece.
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

// Not a generator: its return() waits for the pending read.
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
