// bytes → [head parser] → events: at most one head, then stop

import { type RemoteCode, RemoteProtocolError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { concat, latin1ToText } from "../octets.ts";
import { isToken } from "../tokens.ts";
import { auditHead, type Head } from "./head-audit.ts";
import { codeOf } from "./llhttp-codes.ts";
import {
  execute,
  FIELD,
  growTape,
  INTS_PER_SPAN,
  type MessageKind,
  OK,
  PAUSED,
  position,
  saveState,
  tape,
  tapeLength,
  URL,
} from "./llhttp-module.ts";

/** What bounds a head: a message's, or a trailer section's. */
export interface HeadLimits {
  readonly maxBytes: number;
  readonly tooLarge: RemoteCode;
  readonly maxFields: number;
  readonly tooMany: RemoteCode;
}

const NOTHING = new Uint8Array(0);

/**
 * Takes heads out of bytes, one at a time, and never a byte behind the head's last CRLF.
 *
 * A head that lies whole in one chunk is read once. One that comes in pieces is read twice:
 * piece by piece, to find its end or its first fault at once, then whole, for its spans.
 * No parser owns memory outside JavaScript: what it must remember between pieces is 64 bytes.
 */
export class HeadParser {
  readonly #kind: MessageKind;
  readonly #limits: HeadLimits;
  readonly #maxTargetBytes: number;
  // The pieces of an unfinished head. Its capacity doubles, so that dripping bytes cost no squares.
  #held = NOTHING;
  #heldLength = 0;
  #state: Uint8Array | undefined;
  #targetLength = 0;

  /** How much of the input the last {@link read} took. */
  consumed = 0;

  constructor(kind: MessageKind, limits: HeadLimits, maxTargetBytes: number) {
    this.#kind = kind;
    this.#limits = limits;
    this.#maxTargetBytes = maxTargetBytes;
  }

  static forMessages(kind: MessageKind, limits: Limits): HeadParser {
    const { maxHeadBytes, maxHeaders, maxTargetBytes } = limits;
    return new HeadParser(
      kind,
      {
        maxBytes: maxHeadBytes,
        tooLarge: "HEAD_TOO_LARGE",
        maxFields: maxHeaders,
        tooMany: "TOO_MANY_HEADERS",
      },
      maxTargetBytes,
    );
  }

  /** The bytes of a head that is not complete. */
  get held(): Uint8Array {
    return this.#held.subarray(0, this.#heldLength);
  }

  /** Whether more has come than the empty lines that may stand before a start line. */
  get hasBegun(): boolean {
    return this.held.some((byte) => byte !== 0x0d && byte !== 0x0a);
  }

  /**
   * Reads on. Undefined means that the head goes on in the next bytes, and all of these are taken.
   *
   * @throws {RemoteProtocolError} with `offset` counted from the head's first byte.
   */
  read(bytes: Uint8Array, from: number): Head | undefined {
    const room = this.#limits.maxBytes - this.#heldLength;
    const to = bytes.length - from > room ? from + room : bytes.length;
    const result = execute(this.#kind, bytes, from, to, this.#state);
    if (result === PAUSED) return this.#complete(bytes, from);
    if (result !== OK) throw this.#refusal(result, bytes, from);
    this.#hold(bytes, from, to);
    this.consumed = to - from;
    this.#checkTarget(bytes, from);
    if (this.#heldLength >= this.#limits.maxBytes) throw this.#tooLarge();
    return undefined;
  }

  #complete(bytes: Uint8Array, from: number): Head {
    this.consumed = position;
    let source = bytes;
    let start = from;
    let end = from + position;
    if (this.#heldLength > 0) {
      this.#append(bytes, from, end);
      source = this.held;
      start = 0;
      end = this.#heldLength;
      this.#forget();
      execute(this.#kind, source, start, end, undefined);
    }
    while (tapeLength > tape.length) {
      growTape();
      execute(this.#kind, source, start, end, undefined);
    }
    if (end - start > 0xffff) mergeSpans();
    return auditHead(
      this.#kind,
      latin1ToText(source, start, end),
      this.#limits,
      this.#maxTargetBytes,
    );
  }

  #hold(bytes: Uint8Array, from: number, to: number): void {
    this.#append(bytes, from, to);
    this.#state = saveState(this.#kind);
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
    this.#state = undefined;
    this.#targetLength = 0;
  }

  // A target that is too long is told at its first byte too many, not when the head is full.
  #checkTarget(bytes: Uint8Array, from: number): void {
    for (let at = 0; at < tapeLength && at < tape.length; at += INTS_PER_SPAN) {
      if (tape[at] !== URL) return;
      this.#targetLength += tape[at + 2]!;
    }
    if (this.#targetLength > this.#maxTargetBytes) {
      throw new RemoteProtocolError("TARGET_TOO_LONG", "", { offset: bytes.length - from });
    }
  }

  #tooLarge(): RemoteProtocolError {
    return new RemoteProtocolError(this.#limits.tooLarge, "", { offset: this.#limits.maxBytes });
  }

  #refusal(result: number, bytes: Uint8Array, from: number): RemoteProtocolError {
    const offset = this.#heldLength + position;
    let fieldSeen = false;
    for (let at = 0; at < tapeLength && at < tape.length; at += INTS_PER_SPAN) {
      fieldSeen ||= tape[at] === FIELD;
    }
    const text = latin1ToText(concat([this.held, bytes.subarray(from, from + 256)]));
    const inStartLine = !fieldSeen && !text.trimStart().slice(0, offset).includes("\r\n");
    return new RemoteProtocolError(startLineCode(codeOf(result, inStartLine), text), "", {
      offset,
    });
  }
}

// llhttp stops at the first octet it does not know. What it was meant to be decides the answer:
// RFC 9110 §15.6.2 for a method nobody knows, §15.6.6 for a version nobody knows.
function startLineCode(code: RemoteCode, text: string): RemoteCode {
  const [line = ""] = text.replace(/^[\r\n]+/, "").split("\r\n", 1);
  const [method = "", , version = ""] = line.split(" ");
  if (code === "UNKNOWN_METHOD" && !(isToken(method) && line.includes(" "))) {
    return "MALFORMED_START_LINE";
  }
  if (code === "UNSUPPORTED_VERSION" && version !== "" && !/^HTTP\/[0-9]\.[0-9]$/.test(version)) {
    return "MALFORMED_START_LINE";
  }
  return code;
}

// A head longer than llhttp's input is cut into slices, and a span at the cut into two.
function mergeSpans(): void {
  let last = 0;
  let length = tapeLength;
  for (let at = INTS_PER_SPAN; at < length; ) {
    const adjoins = tape[last + 1]! + tape[last + 2]! === tape[at + 1];
    if (tape[last] === tape[at] && adjoins) {
      tape[last + 2]! += tape[at + 2]!;
      tape.copyWithin(at, at + INTS_PER_SPAN, length);
      length -= INTS_PER_SPAN;
    } else {
      last = at;
      at += INTS_PER_SPAN;
    }
  }
  tape.fill(0, length, tapeLength);
}
