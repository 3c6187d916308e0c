// bytes → [head parser] → events: reads one head and stops

import { type RemoteCode, RemoteProtocolError } from "../base/errors.ts";
import type { Limits } from "../base/limits.ts";
import { concat, latin1ToText } from "../base/octets.ts";
import { readFast } from "./fast-head.ts";
import type { Head, HeadLimits, HeadOf, MessageKind, SectionKind } from "./head.ts";
import { auditHead, endsInFault, faultOfField, faultOfLength } from "./head-audit.ts";
import { execute, OK, PAUSED, position, saveState } from "./llhttp-module.ts";
import { scanner } from "./scanner-module.ts";
import { StartLine } from "./start-line.ts";

const NOTHING = new Uint8Array(0);

// llhttp's error numbers for faults other than the grammar of a field line.
const SECOND_LENGTH = 4;
const BAD_LENGTH = 11;
const FRAMING_FAULTS: { readonly [number: number]: RemoteCode } = {
  [SECOND_LENGTH]: "BAD_CONTENT_LENGTH",
  [BAD_LENGTH]: "BAD_CONTENT_LENGTH",
  15: "BAD_TRANSFER_ENCODING",
};

/**
 * Reads heads, one at a time, and never a byte after the head's last CRLF.
 *
 * Nearly every head is whole in one chunk and exact: the scanner reads it, once. For any other head
 * StartLine reads the start line octet by octet and llhttp reads the fields piece by piece, which
 * finds the end of the head or its first fault at once; then the whole head is read again.
 * No parser owns memory outside JavaScript: the state it saves between pieces is 64 bytes.
 */
export class HeadParser<K extends SectionKind> {
  readonly #kind: K;
  readonly #limits: HeadLimits;
  // The pieces of an incomplete head. The capacity doubles, so that byte-wise input is not quadratic.
  #held = NOTHING;
  #heldLength = 0;
  #line: StartLine | undefined;
  #state: Uint8Array | undefined;

  /** The number of bytes the last {@link read} consumed. */
  consumed = 0;

  constructor(kind: K, limits: Limits) {
    this.#kind = kind;
    this.#limits = kind === "trailers" ? trailerLimits(limits) : messageLimits(limits);
  }

  /** The bytes of an incomplete head. */
  get held(): Uint8Array {
    return this.#held.subarray(0, this.#heldLength);
  }

  get heldLength(): number {
    return this.#heldLength;
  }

  /** Removes and returns {@link held}. */
  takeHeld(): Uint8Array {
    const held = this.held;
    this.#forget();
    return held;
  }

  /** Whether more was received than the empty lines allowed before a start line. */
  get hasBegun(): boolean {
    return this.#line?.hasBegun === true;
  }

  /**
   * Reads on. Returns undefined if the head continues in the next bytes; all of these are consumed.
   *
   * @param answersConnect Do not check Content-Length and Transfer-Encoding.
   * @throws {RemoteProtocolError} with `offset` counted from the head's first byte.
   */
  read(bytes: Uint8Array, from: number, answersConnect = false): HeadOf<K> | undefined {
    const room = this.#limits.maxBytes - this.#heldLength;
    const to = bytes.length - from > room ? from + room : bytes.length;
    if (this.#heldLength === 0) {
      const head = this.#scan(bytes, from, to);
      if (head !== undefined) return head as HeadOf<K>;
    }
    return this.#readOn(bytes, from, to, answersConnect) as HeadOf<K> | undefined;
  }

  #scan(bytes: Uint8Array, from: number, to: number): Head | undefined {
    const head = readFast(this.#kind, bytes, from, to, this.#limits);
    if (head !== undefined) this.consumed = scanner.headLength;
    return head;
  }

  #readOn(bytes: Uint8Array, from: number, to: number, answersConnect: boolean): Head | undefined {
    const at = this.#kind === "trailers" ? from : this.#readLine(this.#kind, bytes, from, to);
    // A detached chunk is empty: if llhttp does not run, its state is another parser's.
    const result = at < to ? execute(bytes, at, to, this.#state, answersConnect) : OK;
    if (result === PAUSED) return this.#complete(bytes, from, at + position);
    if (result !== OK) throw this.#refusal(result, bytes, from, at + position);
    if (at < to) this.#state = saveState();
    this.#hold(bytes, from, to);
    return undefined;
  }

  #readLine(kind: MessageKind, bytes: Uint8Array, from: number, to: number): number {
    this.#line ??= new StartLine(kind, this.#limits.maxTargetBytes);
    const line = this.#line;
    if (line.isComplete) return from;
    const at = line.read(bytes, from, to);
    if (line.isComplete) line.cut(this.#textWith(bytes, from, at));
    return at;
  }

  #complete(bytes: Uint8Array, from: number, to: number): Head {
    const before = this.#heldLength;
    const line = this.#line;
    this.consumed = to - from;
    if (before === 0) {
      this.#line = undefined;
      return auditHead(line, latin1ToText(bytes, from, to), this.#limits);
    }
    this.#append(bytes, from, to);
    try {
      const length = this.#heldLength;
      const head =
        this.#scan(this.#held, 0, length) ??
        auditHead(line, latin1ToText(this.#held, 0, length), this.#limits);
      this.consumed = to - from;
      this.#forget();
      return head;
    } catch (error) {
      // Refused: the caller keeps this piece.
      this.#heldLength = before;
      throw error;
    }
  }

  // This piece is not held if the head is refused: the caller keeps it.
  #hold(bytes: Uint8Array, from: number, to: number): void {
    if (this.#heldLength + to - from >= this.#limits.maxBytes) {
      const code = this.#line?.isInTarget ? "TARGET_TOO_LONG" : this.#limits.tooLarge;
      throw new RemoteProtocolError(code, "", { offset: this.#limits.maxBytes });
    }
    this.#append(bytes, from, to);
    this.consumed = to - from;
  }

  #append(bytes: Uint8Array, from: number, to: number): void {
    const length = this.#heldLength + to - from;
    if (length > this.#held.length) {
      const grown = new Uint8Array(Math.max(length, this.#held.length * 2));
      grown.set(this.held);
      this.#held = grown;
    }
    this.#held.set(bytes.subarray(from, to), this.#heldLength);
    this.#heldLength = length;
  }

  #forget(): void {
    this.#held = NOTHING;
    this.#heldLength = 0;
    this.#line = undefined;
    this.#state = undefined;
  }

  #textWith(bytes: Uint8Array, from: number, to: number): string {
    if (this.#heldLength === 0) return latin1ToText(bytes, from, to);
    return latin1ToText(concat([this.held, bytes.subarray(from, to)]));
  }

  // Depends only on the fault and what precedes it, so that no split of the input changes the error.
  #refusal(result: number, bytes: Uint8Array, from: number, at: number): RemoteProtocolError {
    const text = this.#textWith(bytes, from, at);
    // llhttp refuses a length after its last digit or after its line; either way that line is meant.
    const isLength = result === BAD_LENGTH;
    const lineEnd = text.lastIndexOf("\r\n", isLength ? text.length - 3 : text.length);
    const lineStart = lineEnd === -1 ? 0 : lineEnd + 2;
    let line = text.slice(lineStart);
    const length = isLength ? faultOfLength(line) : undefined;
    // llhttp stops right before the octet that it refuses, or right after it.
    if (length === undefined && !endsInFault(line)) line += String.fromCharCode(bytes[at]!);
    const { malformed } = this.#limits;
    const framing = FRAMING_FAULTS[result];
    // A trailer frames nothing.
    const code = malformed === "MALFORMED_FIELD" && framing !== undefined ? framing : malformed;
    const detail = length ?? detailOf(result, line);
    return new RemoteProtocolError(code, detail, { offset: lineStart + line.length - 1 });
  }
}

function detailOf(result: number, line: string): string {
  if (result === SECOND_LENGTH) return "Content-Length has a second line";
  return FRAMING_FAULTS[result] === undefined || result === BAD_LENGTH ? faultOfField(line) : "";
}

function messageLimits(limits: Limits): HeadLimits {
  return {
    maxBytes: limits.maxHeadBytes,
    tooLarge: "HEAD_TOO_LARGE",
    maxFields: limits.maxHeaders,
    tooMany: "TOO_MANY_HEADERS",
    malformed: "MALFORMED_FIELD",
    maxTargetBytes: limits.maxTargetBytes,
  };
}

function trailerLimits(limits: Limits): HeadLimits {
  return {
    // The empty line that ends the section is always allowed.
    maxBytes: Math.max(limits.maxTrailerBytes, 2),
    tooLarge: "TRAILERS_TOO_LARGE",
    maxFields: limits.maxTrailers,
    tooMany: "TOO_MANY_TRAILERS",
    malformed: "MALFORMED_TRAILER",
    maxTargetBytes: Infinity,
  };
}
