// bytes → [slow head] → head parser: a head that comes in pieces, or is in doubt

import { RemoteProtocolError } from "../base/errors.ts";
import { concat, latin1ToText, viewOf } from "../base/octets.ts";
import { type Facts, inspect } from "../message/facts.ts";
import { type Headers, headersOf } from "../message/headers.ts";
import { explain, explainRequestLine } from "./explain.ts";
import { readFieldsFast } from "./fast-head.ts";
import { Walk } from "./grammar.ts";
import type { Head, HeadLimits, RequestHead, ResponseHead, SectionKind } from "./head.ts";
import { llhttp } from "./llhttp-module.ts";
import { NOT_ON_TAPE, ReceivedLines } from "./received-lines.ts";

const NOTHING = new Uint8Array(0);
const LF = 0x0a;

/** The start line of a head; trailers have none. */
type StartLine =
  | Omit<RequestHead, "headers" | "facts">
  | Omit<ResponseHead, "headers" | "facts">
  | { readonly kind: "trailers" };

/**
 * One head, in as many pieces as it comes. A walk of the grammar reads its start line octet by octet,
 * and llhttp its fields: both find the end, or the first octet that is wrong, as soon as it is there,
 * and neither reads an octet twice. What is wrong is then explained from the beginning; a head that
 * ends is read again, whole, since what is checked has to be what is used.
 */
export class SlowHead {
  readonly #kind: SectionKind;
  readonly #limits: HeadLimits;
  readonly #walk: Walk;
  #lineText = "";
  #isBroken = false;
  #line: StartLine | undefined;
  // llhttp's state between two pieces.
  #state: Uint8Array | undefined;
  // The pieces so far. The capacity doubles, so that byte-wise input is not quadratic.
  #held = NOTHING;
  #heldLength = 0;

  /** The number of bytes the last {@link read} consumed. */
  consumed = 0;

  constructor(kind: SectionKind, limits: HeadLimits) {
    this.#kind = kind;
    this.#limits = limits;
    this.#walk = new Walk(kind, limits.maxTargetBytes);
  }

  /** The pieces so far. */
  get held(): Uint8Array {
    return this.#held.subarray(0, this.#heldLength);
  }

  get heldLength(): number {
    return this.#heldLength;
  }

  /** Whether more was received than the empty lines allowed before a request line. */
  get hasBegun(): boolean {
    return this.#walk.hasBegun;
  }

  /**
   * Reads the next piece; undefined if the head continues after it.
   *
   * @param answersConnect Do not check Content-Length and Transfer-Encoding.
   * @throws {RemoteProtocolError} with `offset` counted from the head's first byte. The piece is then
   *   not held: the caller keeps it.
   */
  read(bytes: Uint8Array, from: number, to: number, answersConnect: boolean): Head | undefined {
    const at = this.#line === undefined ? this.#readLine(bytes, from, to) : from;
    // A detached chunk is empty: if llhttp does not run, its state is another head's.
    if (this.#line !== undefined && at < to) {
      const result = llhttp.read(bytes, at, to, this.#state, answersConnect);
      if (result === "ended") return this.#complete(this.#line, bytes, from, at + llhttp.position);
      if (result === "broke") {
        const text = this.#textWith(bytes, from, to);
        const fault = explain(this.#kind, text, this.#limits, !answersConnect);
        throw fault ?? malformed(this.#limits, this.#heldLength + at + llhttp.position - from);
      }
      this.#state = llhttp.saveState();
    }
    this.#hold(bytes, from, to);
    return undefined;
  }

  // Returns where the line ended or broke. What is read is the text, since the bytes may change.
  #readLine(bytes: Uint8Array, from: number, to: number): number {
    const walk = this.#walk;
    let at = from;
    while (at < to && walk.fieldsAt === undefined) {
      const lineFeed = bytes.indexOf(LF, at);
      const end = lineFeed === -1 || lineFeed >= to ? to : lineFeed + 1;
      const piece = latin1ToText(bytes, at, end);
      this.#lineText += piece;
      for (let i = 0; i < piece.length && !this.#isBroken; i++) {
        this.#isBroken = !walk.step(piece.charCodeAt(i));
      }
      at = end;
    }
    if (this.#isBroken) {
      const fault = explain(this.#kind, this.#lineText, this.#limits, false);
      if (fault !== undefined) throw fault;
    } else if (walk.fieldsAt !== undefined) {
      this.#line = startLine(this.#kind, walk, this.#lineText);
    }
    return at;
  }

  #complete(line: StartLine, bytes: Uint8Array, from: number, to: number): Head {
    const before = this.#heldLength;
    this.consumed = to - from;
    if (before === 0) return this.#readWhole(line, bytes, from, to);
    this.#append(bytes, from, to);
    try {
      return this.#readWhole(line, this.#held, 0, this.#heldLength);
    } catch (error) {
      // Refused: the caller keeps this piece.
      this.#heldLength = before;
      throw error;
    }
  }

  #readWhole(line: StartLine, bytes: Uint8Array, from: number, to: number): Head {
    const { headers, facts } =
      readFieldsFast(bytes, from + this.#walk.fieldsAt!, to, this.#limits) ??
      readFields(this.#kind, latin1ToText(bytes, from, to), this.#limits);
    switch (line.kind) {
      case "request": {
        const { kind, method, target, version } = line;
        return { kind, method, target, version, headers, facts };
      }
      case "response": {
        const { kind, status, reason, version } = line;
        return { kind, status, reason, version, headers, facts };
      }
      case "trailers":
        return { kind: line.kind, headers };
    }
  }

  #hold(bytes: Uint8Array, from: number, to: number): void {
    if (this.#heldLength + to - from >= this.#limits.maxBytes) {
      const code = this.#walk.place === "target" ? "TARGET_TOO_LONG" : this.#limits.tooLarge;
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
    this.#held.set(viewOf(bytes, from, to), this.#heldLength);
    this.#heldLength = length;
  }

  #textWith(bytes: Uint8Array, from: number, to: number): string {
    if (this.#heldLength === 0) return latin1ToText(bytes, from, to);
    return latin1ToText(concat([this.held, viewOf(bytes, from, to)]));
  }
}

/**
 * The parts of a complete start line.
 *
 * @throws {RemoteProtocolError} `UNKNOWN_METHOD`, `MALFORMED_TARGET`.
 */
function startLine(kind: SectionKind, walk: Walk, text: string): StartLine {
  if (kind === "trailers") return { kind };
  const { starts } = walk;
  const minorAt = starts.version! + "HTTP/1.".length;
  const version = text[minorAt] === "1" ? "1.1" : "1.0";
  if (kind === "response") {
    const status = Number(text.substring(minorAt + 2, minorAt + 5));
    const reasonAt = starts["reason phrase"];
    const reason = reasonAt === undefined ? "" : text.substring(reasonAt, starts["line feed"]! - 1);
    return { kind, status, reason, version };
  }
  const [methodAt, targetAt, versionAt] = [starts.method!, starts.target!, starts.version!];
  const fault = explainRequestLine(walk, text);
  if (fault !== undefined) throw fault;
  const method = text.substring(methodAt, targetAt - 1);
  return { kind, method, target: text.substring(targetAt, versionAt - 1), version };
}

/**
 * The fields of a whole head that the scanner has not taken. llhttp has, but nothing relies on it.
 *
 * @throws {RemoteProtocolError} if the head has a fault.
 */
export function readFields(
  kind: SectionKind,
  text: string,
  limits: HeadLimits,
): { headers: Headers; facts: Facts } {
  const walk = new Walk(kind, limits.maxTargetBytes);
  const fault = explain(kind, text, limits, false, walk);
  if (fault !== undefined) throw fault;
  if (walk.place !== "complete") throw malformed(limits, walk.length);
  const fieldsAt = walk.fieldsAt!;
  const lines = new ReceivedLines(text, fieldsAt, countLines(text, fieldsAt), NOT_ON_TAPE);
  if (lines.length > limits.maxFields) {
    const offset = lines.startOf(limits.maxFields);
    throw new RemoteProtocolError(limits.tooMany, "", { offset });
  }
  const headers = headersOf(lines);
  return { headers, facts: inspect(headers) };
}

// All lines but the empty one at the end.
function countLines(text: string, from: number): number {
  let count = -1;
  for (let at = from; at < text.length; at = text.indexOf("\r\n", at) + 2) count++;
  return count;
}

// For what cannot be: llhttp disagrees with the grammar, or another thread has changed the bytes.
function malformed(limits: HeadLimits, offset: number): RemoteProtocolError {
  return new RemoteProtocolError(limits.malformed, "", { offset });
}
