// bytes ← [body writer] ← events: writes the data of a body by its framing

import { LocalProtocolError } from "../base/errors.ts";
import { asBytes, isAscii } from "../base/octets.ts";
import { type Framing, knownLength } from "../message/framing.ts";
import type { HeadersInit } from "../message/headers.ts";
import type { Sink } from "./sink.ts";
import { trailerLines } from "./trailers.ts";

/** Writes one body. Data that does not fit its framing is refused before a byte of it is written. */
export class BodyWriter {
  readonly #framing: Framing;
  readonly #trailers: string;
  #left: number;

  /** `trailers` are lines that were checked together with the head. */
  constructor(framing: Framing, trailers = "") {
    this.#framing = framing;
    this.#trailers = trailers;
    this.#left = roomOf(framing);
  }

  /** @throws {LocalProtocolError} `INVALID_BODY`, `BODY_TOO_LONG`, `BODY_NOT_ALLOWED`. */
  write(sink: Sink, data: Uint8Array | string): void {
    const octets = octetsOf(data);
    const { length } = octets;
    // An empty chunk would be the last one (RFC 9112 §7.1).
    if (length === 0) return;
    if (length > this.#left) throw tooLong(this.#framing, length, this.#left);
    this.#left -= length;
    const chunked = this.#framing.kind === "chunked";
    if (chunked) sink.text(`${length.toString(16)}\r\n`);
    put(sink, octets);
    if (chunked) sink.text("\r\n");
  }

  /** @throws {LocalProtocolError} `BODY_TOO_SHORT`, `INVALID_TRAILER`, `INVALID_HEADER`. */
  end(sink: Sink, trailers: HeadersInit | undefined): void {
    if (this.#framing.kind === "content-length" && this.#left > 0) throw tooShort(this.#left);
    const lines = trailers === undefined ? this.#trailers : trailerLines(this.#framing, trailers);
    if (this.#framing.kind === "chunked") sink.text(`0\r\n${lines}\r\n`);
  }
}

function roomOf(framing: Framing): number {
  return knownLength(framing) ?? Infinity;
}

function tooLong({ kind }: Framing, length: number, room: number): LocalProtocolError {
  const code = kind === "none" ? "BODY_NOT_ALLOWED" : "BODY_TOO_LONG";
  return new LocalProtocolError(code, `${length} bytes where ${room} may follow`);
}

function tooShort(missing: number): LocalProtocolError {
  return new LocalProtocolError("BODY_TOO_SHORT", `${missing} bytes are missing`);
}

/**
 * Checks that a whole body of this length fits its framing.
 *
 * @throws {LocalProtocolError} `BODY_TOO_LONG`, `BODY_NOT_ALLOWED`, `BODY_TOO_SHORT`.
 */
export function checkWhole(framing: Framing, length: number): void {
  const room = roomOf(framing);
  if (length > room) throw tooLong(framing, length, room);
  if (framing.kind === "content-length" && length < room) throw tooShort(room - length);
}

/** Writes octets that need no framing. */
export function put(sink: Sink, octets: Uint8Array | string): void {
  if (octets.length === 0) return;
  if (typeof octets === "string") sink.text(octets);
  else sink.bytes(octets);
}

/**
 * Checks data to write. Text is one octet per character; a wider character would be truncated to
 * another octet.
 *
 * @throws {LocalProtocolError} `INVALID_BODY`.
 */
export function octetsOf(data: Uint8Array | string): Uint8Array | string {
  if (typeof data === "string") {
    if (isAscii(data) || !/[^\0-\xff]/.test(data)) return data;
    throw new LocalProtocolError("INVALID_BODY", "text with a character above U+00FF");
  }
  const bytes = asBytes(data);
  if (bytes !== undefined) return bytes;
  throw new LocalProtocolError("INVALID_BODY", "data is a string or a Uint8Array");
}
