// bytes → [head parser] → events: at most one head, then stop

import { type RemoteCode, RemoteProtocolError } from "../errors.ts";
import type { Limits } from "../limits.ts";
import { concat, latin1ToText } from "../octets.ts";
import { FIELDS, TARGET_END, TARGET_START, tape } from "../tape.ts";
import { quoted } from "../tokens.ts";
import { type Head, type HeadLimits, headOnTape, type MessageKind } from "./head.ts";
import { auditHead } from "./head-audit.ts";
import { codeOf } from "./llhttp-codes.ts";
import { execute, OK, PAUSED, position, saveState, targetLength } from "./llhttp-module.ts";
import { scan, textOfScanned } from "./scanner-module.ts";

const NOTHING = new Uint8Array(0);
const CR = 0x0d;
const LF = 0x0a;
// Longer than any in the registry; what is not decided by then is nobody's method.
const MAX_METHOD_LENGTH = 32;
// RFC 9110 §5.6.2: a token, and what ends it.
const METHOD = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]{0,32})(.)?/s;
const EMPTY_LINES = /^(?:\r\n)+/;
// What HTTP/2 begins with: its method, and the space behind it.
const PREFACE = "PRI ";
const PREFACE_LINE = /^PRI [^\r\n]* HTTP\/[0-9]\.[0-9]\r\n/;
// What stands in front of a request target, and as much of the target as there is.
const START_OF_REQUEST = /^((?:\r\n)*[^ \r\n]* +)([^ \r\n]*)/;

// What the limits that most connections share mean for a head.
let resolved: Limits | undefined;
let ofMessages: HeadLimits | undefined;

/**
 * Takes heads out of bytes, one at a time, and never a byte behind the head's last CRLF.
 *
 * Nearly every head lies whole in one chunk and is exact: the scanner reads it, once. Any other is
 * llhttp's, piece by piece, to find its end or its first fault at once; then it is read again as a
 * whole.
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
  #begun = false;
  // Behind the empty lines.
  #startLineAt = 0;
  // Where llhttp met a method it does not know, until the method's end has come.
  #strangerAt: number | undefined;

  /** How much of the input the last {@link read} took. */
  consumed = 0;

  constructor(kind: MessageKind, limits: HeadLimits, maxTargetBytes: number) {
    this.#kind = kind;
    this.#limits = limits;
    this.#maxTargetBytes = maxTargetBytes;
  }

  static forMessages(kind: MessageKind, limits: Limits): HeadParser {
    if (limits !== resolved) {
      resolved = limits;
      ofMessages = {
        maxBytes: limits.maxHeadBytes,
        tooLarge: "HEAD_TOO_LARGE",
        maxFields: limits.maxHeaders,
        tooMany: "TOO_MANY_HEADERS",
      };
    }
    return new HeadParser(kind, ofMessages!, limits.maxTargetBytes);
  }

  /** The bytes of a head that is not complete. */
  get held(): Uint8Array {
    return this.#held.subarray(0, this.#heldLength);
  }

  get heldLength(): number {
    return this.#heldLength;
  }

  /** {@link held}, to be someone else's: they are not held any more. */
  takeHeld(): Uint8Array {
    const held = this.held;
    this.#forget();
    return held;
  }

  /** Whether more has come than the empty lines that may stand before a start line. */
  get hasBegun(): boolean {
    return this.#begun;
  }

  /**
   * Reads on. Undefined means that the head goes on in the next bytes, and all of these are taken.
   *
   * @param answersConnect Content-Length and Transfer-Encoding are not judged here.
   * @throws {RemoteProtocolError} with `offset` counted from the head's first byte.
   */
  read(bytes: Uint8Array, from: number, answersConnect = false): Head | undefined {
    const room = this.#limits.maxBytes - this.#heldLength;
    const to = bytes.length - from > room ? from + room : bytes.length;
    if (this.#heldLength === 0) {
      const head = this.#scan(bytes, from, to);
      if (head !== undefined) return head;
    }
    return this.#readOn(bytes, from, to, answersConnect);
  }

  #scan(bytes: Uint8Array, from: number, to: number): Head | undefined {
    const length = scan(this.#kind, bytes, from, to);
    const fits =
      length > 0 &&
      tape[FIELDS]! <= this.#limits.maxFields &&
      tape[TARGET_END]! - tape[TARGET_START]! <= this.#maxTargetBytes;
    if (!fits) return undefined;
    this.consumed = length;
    return headOnTape(this.#kind, textOfScanned());
  }

  #readOn(bytes: Uint8Array, from: number, to: number, answersConnect: boolean): Head | undefined {
    if (!this.#begun) this.#passEmptyLines(bytes, from, to);
    if (this.#strangerAt !== undefined) return this.#readStranger(bytes, from, to);
    const result = execute(this.#kind, bytes, from, to, this.#state, answersConnect);
    if (result === PAUSED) return this.#complete(bytes, from);
    const taken = result === OK ? to - from : position;
    this.#checkTarget(bytes, from, taken, result !== OK);
    this.#checkPreface(bytes, from, taken);
    if (result === OK) {
      // Of a chunk that was taken away nothing was read, and the state is another's.
      if (to > from) this.#state = saveState(this.#kind);
      this.#hold(bytes, from, to);
      return undefined;
    }
    const refusal = this.#refusal(result, bytes, from);
    if (refusal.code !== "UNKNOWN_METHOD") throw refusal;
    this.#strangerAt = this.#heldLength + position;
    return this.#readStranger(bytes, from, to);
  }

  // RFC 9112 §2.2: empty lines may stand before a request, and before nothing else. llhttp passes
  // over CR and LF in any order, and a peer that waits behind them would wait in vain.
  #passEmptyLines(bytes: Uint8Array, from: number, to: number): void {
    for (let at = from; at < to; at++) {
      const offset = this.#heldLength + at - from;
      const wanted = offset % 2 === 0 ? CR : LF;
      if (bytes[at] === wanted && this.#kind === "request") continue;
      const begins = wanted === CR && bytes[at] !== CR && bytes[at] !== LF;
      if (!begins) throw new RemoteProtocolError("MALFORMED_START_LINE", "", { offset });
      this.#begun = true;
      this.#startLineAt = offset;
      return;
    }
  }

  // RFC 9113 §3.4: llhttp waits for all of HTTP/2's preface, whatever version the line has. The line
  // says enough: PRI is no method of HTTP/1.
  #checkPreface(bytes: Uint8Array, from: number, taken: number): void {
    const start = this.#startLineAt;
    for (let i = 0; i < PREFACE.length; i++) {
      const at = start + i - this.#heldLength;
      const octet = at < 0 ? this.#held[start + i] : bytes[from + at];
      if (octet !== PREFACE.charCodeAt(i) || at >= taken) return;
    }
    const line = PREFACE_LINE.exec(this.#textWith(bytes, from, taken).slice(start));
    if (line === null) return;
    const offset = start + line[0].length - "\r\n".length;
    throw new RemoteProtocolError("UNSUPPORTED_VERSION", "", { offset });
  }

  // RFC 9110 §15.6.2: 501 is for a method nobody knows. Whether it is one, its end tells.
  #readStranger(bytes: Uint8Array, from: number, to: number): undefined {
    const text = this.#textWith(bytes, from, to - from).replace(EMPTY_LINES, "");
    const [, method = "", next = ""] = METHOD.exec(text) ?? [];
    const decided = method.length === MAX_METHOD_LENGTH || next !== "";
    if (!decided) {
      this.#hold(bytes, from, to);
      return;
    }
    const isMethod = method.length === MAX_METHOD_LENGTH || (method !== "" && next === " ");
    const code = isMethod ? "UNKNOWN_METHOD" : "MALFORMED_START_LINE";
    throw new RemoteProtocolError(code, quoted(method), { offset: this.#strangerAt! });
  }

  #complete(bytes: Uint8Array, from: number): Head {
    const before = this.#heldLength;
    this.consumed = position;
    if (before === 0) {
      this.#begun = false;
      return this.#audit(bytes, from, from + position);
    }
    this.#append(bytes, from, from + position);
    try {
      const length = this.#heldLength;
      const head = this.#scan(this.#held, 0, length) ?? this.#audit(this.#held, 0, length);
      this.consumed = position;
      this.#forget();
      return head;
    } catch (error) {
      // Refused: the caller still has this piece.
      this.#heldLength = before;
      throw error;
    }
  }

  #audit(source: Uint8Array, start: number, end: number): Head {
    const text = latin1ToText(source, start, end);
    return auditHead(this.#kind, text, this.#limits, this.#maxTargetBytes);
  }

  // Nothing is held of a head that is refused: the caller still has it.
  #hold(bytes: Uint8Array, from: number, to: number): void {
    if (this.#heldLength + to - from >= this.#limits.maxBytes) {
      throw this.#tooLarge(this.#textWith(bytes, from, to - from));
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
    this.#state = undefined;
    this.#targetLength = 0;
    this.#begun = false;
  }

  // A target that is too long is told at its first byte too many, not when the head is full.
  #checkTarget(bytes: Uint8Array, from: number, taken: number, refused: boolean): void {
    if (this.#kind === "response") return;
    this.#targetLength += targetLength;
    // Of a target that llhttp refuses half way, it has told no span.
    if (this.#targetLength <= this.#maxTargetBytes && !refused) return;
    const line = START_OF_REQUEST.exec(this.#textWith(bytes, from, taken));
    const [upToTarget = "", target = ""] = line?.slice(1) ?? [];
    if (target.length <= this.#maxTargetBytes) return;
    const offset = upToTarget.length + this.#maxTargetBytes;
    throw new RemoteProtocolError("TARGET_TOO_LONG", "", { offset });
  }

  #textWith(bytes: Uint8Array, from: number, length: number): string {
    return latin1ToText(concat([this.held, bytes.subarray(from, from + length)]));
  }

  // RFC 9112 §3: a head that is full before its first line has ended has too long a target, or
  // more white space than the grammar has.
  #tooLarge(text: string): RemoteProtocolError {
    const line = text.replace(/^[\r\n]+/, "");
    const inRequestLine = this.#kind === "request" && line !== "" && !line.includes("\r\n");
    const target = START_OF_REQUEST.exec(text);
    const inTarget = target?.[2] !== "" && target?.[0].length === text.length;
    let code = this.#limits.tooLarge;
    if (inRequestLine) code = inTarget ? "TARGET_TOO_LONG" : "MALFORMED_START_LINE";
    return new RemoteProtocolError(code, "", { offset: this.#limits.maxBytes });
  }

  // Told from what stands before the fault alone, so that no cut changes the answer.
  #refusal(result: number, bytes: Uint8Array, from: number): RemoteProtocolError {
    const offset = this.#heldLength + position;
    const text = this.#textWith(bytes, from, position).replace(EMPTY_LINES, "");
    const inStartLine = !text.includes("\r\n");
    const code = codeOf(result, inStartLine);
    const known = inStartLine ? startLineCode(code, text) : code;
    return new RemoteProtocolError(known, "", { offset });
  }
}

// llhttp stops at the first octet it does not know. What it was meant to be decides the answer:
// RFC 9110 §15.6.2 for a method nobody knows, §15.6.6 for a version nobody knows.
function startLineCode(code: RemoteCode, text: string): RemoteCode {
  // llhttp knows RTSP's methods too, and refuses them where the version of HTTP begins.
  if (code === "MALFORMED_START_LINE" && / HTTP$/.test(text)) return "UNKNOWN_METHOD";
  // A bare LF behind the version is the fault, and stands before it.
  const isVersion = /(?:^| )HTTP\/[0-9]\.[0-9].?$/s.test(text);
  const isOurs = /HTTP\/1\.[01].?$/s.test(text);
  if (isVersion && !isOurs) return "UNSUPPORTED_VERSION";
  return code === "UNSUPPORTED_VERSION" ? "MALFORMED_START_LINE" : code;
}
