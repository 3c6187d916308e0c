// serializer ← [body source] ← application: a body to be sent, told apart once

import { LocalProtocolError } from "../errors.ts";
import type { BodyLength } from "../events.ts";
import { asBytes, isAscii, textToUtf8 } from "../octets.ts";
import { Body } from "./body.ts";

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
  getReader(): {
    read(): Promise<{ readonly done: boolean; readonly value?: unknown }>;
    cancel(reason?: unknown): Promise<unknown>;
    releaseLock(): void;
  };
}

/** A body, told apart: whole, or to be pulled. */
export interface BodySource {
  readonly length: BodyLength;
  /** All of it. Text has one character an octet. */
  readonly whole: string | Uint8Array | undefined;
  readonly pieces: (() => AsyncIterator<unknown>) | undefined;
}

const EMPTY: BodySource = { length: 0, whole: undefined, pieces: undefined };

/** @throws {LocalProtocolError} `INVALID_BODY`. */
export function bodySource(body: BodyInit | undefined): BodySource {
  if (body === undefined || body === null || body === "") return EMPTY;
  if (typeof body === "string") return wholeSource(toOctets(body));
  const bytes = body instanceof ArrayBuffer ? new Uint8Array(body) : asBytes(body);
  if (bytes !== undefined) return bytes.length === 0 ? EMPTY : wholeSource(bytes);
  // Its elements are to be had one by one, and are no pieces of a body.
  if (ArrayBuffer.isView(body)) throw new LocalProtocolError("INVALID_BODY", "not a Uint8Array");
  if (body instanceof Body) return relaySource(body);
  if (typeof body === "object") {
    if (Symbol.asyncIterator in body) return piecesSource(() => body[Symbol.asyncIterator]());
    if (Symbol.iterator in body) return piecesSource(() => fromIterable(body));
    if ("getReader" in body) return piecesSource(() => fromReadable(body));
  }
  throw new LocalProtocolError("INVALID_BODY", typeof body);
}

/** Text as its own octets where it is ASCII, which spares an encoding and a second write. */
export function toOctets(piece: unknown): string | Uint8Array {
  if (typeof piece === "string") return isAscii(piece) ? piece : textToUtf8(piece);
  const bytes = piece instanceof ArrayBuffer ? new Uint8Array(piece) : asBytes(piece);
  if (bytes !== undefined) return bytes;
  throw new LocalProtocolError("INVALID_BODY", `a piece that is a ${typeof piece}`);
}

function wholeSource(whole: string | Uint8Array): BodySource {
  return { length: whole.length, whole, pieces: undefined };
}

function piecesSource(pieces: () => AsyncIterator<unknown>): BodySource {
  return { length: "unknown", whole: undefined, pieces };
}

// A received body keeps the length it came with.
function relaySource(body: Body): BodySource {
  if (body.length === 0) return EMPTY;
  const length = body.length ?? "unknown";
  return { length, whole: undefined, pieces: () => body[Symbol.asyncIterator]() };
}

async function* fromIterable(pieces: Iterable<unknown>): AsyncGenerator<unknown> {
  yield* pieces;
}

// No generator: its `return` would wait for the read that is pending, and the news would come late.
function fromReadable(stream: ReadableStreamLike): AsyncIterator<unknown> {
  const reader = stream.getReader();
  return {
    async next() {
      const { done, value } = await reader.read();
      return done ? { done, value: undefined } : { done, value };
    },
    async return() {
      await reader.cancel();
      return { done: true, value: undefined };
    },
  };
}
