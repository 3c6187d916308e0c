// bytes → [chunked reader] → events: RFC 9112 §7.1, byte by byte between the data

import { RemoteProtocolError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { isTextOctet, isTokenOctet, octetName } from "../base/tokens.ts";

// The position of the reader in: size [ext] CRLF data CRLF … 0 [ext] CRLF (trailers follow).
type Place =
  | "size"
  | "size-or-extension"
  | "extension-name"
  | "in-name"
  | "after-name"
  | "extension-value"
  | "in-value"
  | "in-quotes"
  | "quoted-pair"
  | "after-value"
  | "size-lf"
  | "data"
  | "data-cr"
  | "data-lf"
  | "end";

// A size of 13 hexadecimal digits is below 2^52, which a number holds exactly; no one needs more.
const MAX_SIZE_DIGITS = 13;

const CR = 0x0d;
const LF = 0x0a;
const SEMICOLON = 0x3b;
const EQUALS = 0x3d;
const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/**
 * Finds the data in a chunked body. Strict: a size is only hexadecimal digits, a line ends in CRLF,
 * and an extension must follow the grammar, but is ignored. The data itself is not read.
 */
export class ChunkedReader {
  readonly #maxExtensionBytes: number;
  #place: Place = "size";
  #digits = 0;
  #size = 0;
  // Bytes without meaning: extensions, and leading zeros of a size. Counted for the whole message.
  #ignoredBytes = 0;

  /** The number of bytes left in the current chunk's data. */
  dataLeft = 0;

  constructor(limits: Limits) {
    this.#maxExtensionBytes = limits.maxChunkExtensionBytes;
  }

  /** Whether the last chunk's line was read: the trailer section follows. */
  get atTrailers(): boolean {
    return this.#place === "end";
  }

  /** Notes that the caller has consumed `length` bytes of data. */
  take(length: number): void {
    this.dataLeft -= length;
    if (this.dataLeft === 0) this.#place = "data-cr";
  }

  /**
   * Reads up to the next data, the trailers or the end of the input; returns where it stopped.
   *
   * @throws {RemoteProtocolError} `MALFORMED_CHUNK`, `CHUNK_EXTENSIONS_TOO_LARGE`, with `offset`
   *   counted from the start of `bytes`.
   */
  read(bytes: Uint8Array, from: number): number {
    let at = from;
    while (at < bytes.length && this.#place !== "data" && this.#place !== "end") {
      if (!this.#accept(bytes[at]!)) throw malformed(this.#place, bytes[at]!, at);
      if (this.#ignoredBytes > this.#maxExtensionBytes) {
        throw new RemoteProtocolError("CHUNK_EXTENSIONS_TOO_LARGE", "", { offset: at });
      }
      at++;
    }
    return at;
  }

  #accept(byte: number): boolean {
    switch (this.#place) {
      case "size":
      case "size-or-extension":
        return this.#acceptSize(byte);
      case "size-lf":
        if (byte !== LF) return false;
        return this.#beginData();
      case "data-cr":
        this.#place = "data-lf";
        return byte === CR;
      case "data-lf":
        this.#place = "size";
        return byte === LF;
      default:
        if (byte !== CR) this.#ignoredBytes++;
        return this.#acceptExtension(byte);
    }
  }

  #acceptSize(byte: number): boolean {
    const digit = hexDigit(byte);
    if (digit === -1) {
      if (this.#digits === 0) return false;
      if (byte !== CR) this.#ignoredBytes++;
      return this.#leaveTo(byte, "after-value");
    }
    if (this.#size === 0 && this.#digits > 0) this.#ignoredBytes++;
    this.#digits++;
    this.#size = this.#size * 16 + digit;
    return this.#size < 16 ** MAX_SIZE_DIGITS;
  }

  // RFC 9112 §7.1.1: *( BWS ";" BWS ext-name [ BWS "=" BWS ( token / quoted-string ) ] )
  #acceptExtension(byte: number): boolean {
    switch (this.#place) {
      case "extension-name":
        return this.#begin(byte, "in-name");
      case "extension-value":
        if (byte === QUOTE) return this.#go("in-quotes");
        return this.#begin(byte, "in-value");
      case "in-name":
        if (isTokenOctet(byte)) return true;
        if (byte === EQUALS) return this.#go("extension-value");
        return this.#leaveTo(byte, "after-name");
      case "after-name":
        if (byte === EQUALS) return this.#go("extension-value");
        return this.#leaveTo(byte, "after-name");
      case "in-value":
        return isTokenOctet(byte) || this.#leaveTo(byte, "after-value");
      case "after-value":
        return this.#leaveTo(byte, "after-value");
      // RFC 9110 §5.6.4: qdtext and quoted-pair.
      case "in-quotes":
        if (byte === QUOTE) return this.#go("after-value");
        if (byte === BACKSLASH) return this.#go("quoted-pair");
        return isTextOctet(byte);
      case "quoted-pair":
        return this.#go("in-quotes") && isTextOctet(byte);
      default:
        return false;
    }
  }

  #begin(byte: number, inside: Place): boolean {
    if (isSpaceByte(byte)) return true;
    return isTokenOctet(byte) && this.#go(inside);
  }

  // White space is allowed before ";" and "=", but not at the end of a line.
  #leaveTo(byte: number, after: Place): boolean {
    if (byte === SEMICOLON) return this.#go("extension-name");
    if (isSpaceByte(byte)) {
      this.#spaced = true;
      return this.#go(after);
    }
    if (byte !== CR || this.#spaced) return false;
    return this.#go("size-lf");
  }
  #spaced = false;

  #go(place: Place): true {
    if (place === "extension-name" || place === "extension-value") this.#spaced = false;
    this.#place = place;
    return true;
  }

  #beginData(): true {
    this.dataLeft = this.#size;
    this.#place = this.#size === 0 ? "end" : "data";
    this.#size = 0;
    this.#digits = 0;
    this.#spaced = false;
    return true;
  }
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function isSpaceByte(byte: number): boolean {
  return byte === 0x20 || byte === 0x09;
}

function malformed(place: Place, byte: number, offset: number): RemoteProtocolError {
  return new RemoteProtocolError("MALFORMED_CHUNK", `${octetName(byte)} in ${place}`, { offset });
}
