// bytes → parser → [field lines] → headers: where the lines of headers are kept

import { isSameName } from "../base/tokens.ts";

/**
 * Checked field lines, in order: the ones given to us, or, in parser/received-lines.ts, those in the
 * text of a received head.
 */
export interface FieldLines {
  readonly length: number;
  nameAt(i: number): string;
  nameLengthAt(i: number): number;
  valueAt(i: number): string;
  /** The index of the first line from `from` on with this name, ignoring case; -1 if there is none. */
  find(name: string, from: number): number;
  /** Names and values in turn. */
  toFlat(): string[];
}

/** Lines given as names and values in turn. */
export class GivenLines implements FieldLines {
  /** Names and values in turn; not a copy. */
  readonly flat: readonly string[];

  constructor(flat: readonly string[]) {
    this.flat = flat;
  }

  get length(): number {
    return this.flat.length / 2;
  }

  nameAt(i: number): string {
    return this.flat[i * 2]!;
  }

  nameLengthAt(i: number): number {
    return this.flat[i * 2]!.length;
  }

  valueAt(i: number): string {
    return this.flat[i * 2 + 1]!;
  }

  find(name: string, from: number): number {
    for (let i = from; i * 2 < this.flat.length; i++) {
      const one = this.flat[i * 2]!;
      if (one.length === name.length && isSameName(one, 0, name)) return i;
    }
    return -1;
  }

  toFlat(): string[] {
    return [...this.flat];
  }
}
