// bytes → parser → [received lines] → headers: cut from the head's text only when needed

import { isSameName, isWhiteSpace } from "../base/tokens.ts";
import type { FieldLines } from "../message/field-lines.ts";
import { scanner } from "./scanner-module.ts";
import { INTS_PER_FIELD } from "./tape-layout.ts";

/**
 * The lines of a received head, of which every octet has been checked. The offsets of their parts are
 * on the tape until the next head of any connection is read; later the text is cut again.
 */
export class ReceivedLines implements FieldLines {
  readonly #text: string;
  readonly #from: number;
  readonly #generation: number;
  #offsets: readonly number[] | undefined;
  readonly length: number;

  /**
   * @param from Where the first line begins in the text.
   * @param generation The tape's, if the lines are on it; {@link NOT_ON_TAPE} otherwise.
   */
  constructor(text: string, from: number, length: number, generation: number) {
    this.#text = text;
    this.#from = from;
    this.length = length;
    this.#generation = generation;
    this.#offsets = undefined;
  }

  /** Where line `i` begins in the text. */
  startOf(i: number): number {
    return this.#places()[i * INTS_PER_FIELD]!;
  }

  nameAt(i: number): string {
    const at = i * INTS_PER_FIELD;
    const places = this.#places();
    return this.#text.substring(places[at]!, places[at + 1]!);
  }

  nameLengthAt(i: number): number {
    const at = i * INTS_PER_FIELD;
    const places = this.#places();
    return places[at + 1]! - places[at]!;
  }

  valueAt(i: number): string {
    const at = i * INTS_PER_FIELD;
    const places = this.#places();
    return this.#text.substring(places[at + 2]!, places[at + 3]!);
  }

  find(name: string, from: number): number {
    if (this.#generation === scanner.generation) {
      const found = scanner.find(name, from);
      if (found !== undefined) return found;
    }
    const places = this.#places();
    for (let i = from, at = from * INTS_PER_FIELD; i < this.length; i++, at += INTS_PER_FIELD) {
      const start = places[at]!;
      const isAsLong = places[at + 1]! - start === name.length;
      if (isAsLong && isSameName(this.#text, start, name)) return i;
    }
    return -1;
  }

  toFlat(): string[] {
    const flat: string[] = [];
    const places = this.#places();
    for (let at = 0; at < this.length * INTS_PER_FIELD; at += INTS_PER_FIELD) {
      const name = this.#text.substring(places[at]!, places[at + 1]!);
      flat.push(name, this.#text.substring(places[at + 2]!, places[at + 3]!));
    }
    return flat;
  }

  #places(): ArrayLike<number> {
    if (this.#generation === scanner.generation) return scanner.fields;
    this.#offsets ??= cut(this.#text, this.#from, this.length);
    return this.#offsets;
  }
}

/** Lines that the scanner has not read are on no tape: its generations count from 0. */
export const NOT_ON_TAPE = -1;

function cut(text: string, from: number, length: number): number[] {
  const offsets: number[] = [];
  for (let at = from; offsets.length < length * INTS_PER_FIELD; ) at = cutLine(text, at, offsets);
  return offsets;
}

// Pushes the start and end of the name, and the start and end of the value, of the line at `at`
// (RFC 9112 §5), and returns the start of the next. The parser has checked the line.
function cutLine(text: string, at: number, offsets: number[]): number {
  const nameEnd = text.indexOf(":", at);
  const lineEnd = text.indexOf("\r\n", nameEnd);
  let valueStart = nameEnd + 1;
  let valueEnd = lineEnd;
  while (isWhiteSpace(text.charCodeAt(valueStart))) valueStart++;
  while (valueEnd > valueStart && isWhiteSpace(text.charCodeAt(valueEnd - 1))) valueEnd--;
  offsets.push(at, nameEnd, valueStart, valueEnd);
  return lineEnd + 2;
}
