// bytes → parser → [headers] → events: ordered field lines, cut from the head only when needed

import { LocalProtocolError } from "../base/errors.ts";
import { INSPECT, type Inspect, shown } from "../base/inspect.ts";
import { textToLatin1 } from "../base/octets.ts";
import { isSameName, listMembers } from "../base/tokens.ts";
import { cutFieldLine } from "./field-line.ts";
import { checkedLines, invalidShape, linesOf } from "./headers-init.ts";
import { findOnTape, numberOf } from "./lookup.ts";
import { fieldsOnTape, generation, tape } from "./tape.ts";
import { FIELDS, INTS_PER_FIELD } from "./tape-layout.ts";

/** What is accepted as headers to send. Numbers are written in decimal. */
export type HeadersInit =
  | Headers
  | Iterable<readonly [name: string, value: string | number]>
  | { readonly [name: string]: string | number | readonly (string | number)[] | undefined };

// Set by the class, which must not refer to itself by name: bundlers would rename it.
let isOurs: (init: unknown) => init is Headers;

/** The number of field lines, whatever the instance claims. */
export let lineCount: (headers: Headers) => number;

// Marks arguments that are already checked. It is private to this file.
const CHECKED = Symbol("checked");

/**
 * An ordered, immutable list of field lines that keeps spelling, order and duplicates.
 *
 * Every instance is valid to send: names are tokens, values have no control character but HTAB,
 * and each character is one octet (latin-1).
 *
 * A console shows the lines without the values of `Authorization`, `Proxy-Authorization`, `Cookie`
 * and `Set-Cookie`.
 */
export class Headers implements Iterable<[name: string, value: string]> {
  // If built: names and values in turn.
  readonly #lines: readonly string[] | undefined;
  // If received: the head's text. The offsets of its fields are on the tape while that is of the same
  // generation; later the text is cut again.
  readonly #text: string;
  readonly #from: number;
  readonly #generation: number;
  #offsets: readonly number[] | undefined;
  readonly #length: number;

  /**
   * Headers from pairs, a record (a list as a value makes several lines), or a WHATWG `Headers`.
   * Empty without an argument.
   *
   * @throws {LocalProtocolError} `INVALID_HEADERS` for another shape, `INVALID_HEADER` for a name
   *   that is not a token, or a value with CR, LF, NUL, another control character, a code point above
   *   U+00FF, or white space around it.
   */
  constructor(init?: HeadersInit);
  /** @internal Checked lines, or the offsets of lines in a text. */
  constructor(
    checked: typeof CHECKED,
    lines: readonly string[] | undefined,
    text: string,
    from: number,
    length: number,
    offsets: readonly number[] | undefined,
  );
  constructor(
    init?: HeadersInit | typeof CHECKED,
    lines?: readonly string[],
    text = "",
    from = 0,
    length = 0,
    offsets?: readonly number[],
  ) {
    const isChecked = init === CHECKED;
    this.#lines = isChecked ? lines : checkedLinesOf(init);
    this.#text = text;
    this.#from = from;
    this.#generation = generation;
    this.#offsets = offsets;
    this.#length = isChecked ? length : this.#lines!.length / 2;
  }

  static {
    // Not instanceof: any object can be given the prototype, but not the private lines.
    isOurs = (init): init is Headers => typeof init === "object" && init !== null && #lines in init;
    lineCount = (headers) => headers.#length;
  }

  /**
   * Like the constructor, but returns headers as they are.
   *
   * @throws {LocalProtocolError} As the constructor.
   */
  static from(init: HeadersInit | undefined): Headers {
    return headersFrom(init);
  }

  /**
   * Headers from Node's flat form, names and values in turn: `["Host", "a.test", "Accept", "*"]`.
   *
   * @throws {LocalProtocolError} As the constructor; also for an odd number of strings.
   */
  static fromFlat(flat: readonly (string | number)[]): Headers {
    if (flat.length % 2 !== 0) throw new LocalProtocolError("INVALID_HEADERS", "an odd flat array");
    return checkedHeaders(checkedLines([...flat]));
  }

  /** The number of field lines. */
  get length(): number {
    return this.#length;
  }

  /** The name of line `i`, spelled as in the message. */
  nameAt(i: number): string {
    if (this.#lines !== undefined) return this.#lines[i * 2]!;
    const at = i * INTS_PER_FIELD;
    const places = this.#places();
    return this.#text.substring(places[at]!, places[at + 1]!);
  }

  /** The length of the name of line `i`: enough to skip most lines without cutting them. */
  nameLengthAt(i: number): number {
    if (this.#lines !== undefined) return this.#lines[i * 2]!.length;
    const at = i * INTS_PER_FIELD;
    const places = this.#places();
    return places[at + 1]! - places[at]!;
  }

  /** The value of line `i`, without surrounding white space. */
  valueAt(i: number): string {
    if (this.#lines !== undefined) return this.#lines[i * 2 + 1]!;
    const at = i * INTS_PER_FIELD;
    const places = this.#places();
    return this.#text.substring(places[at + 2]!, places[at + 3]!);
  }

  #places(): ArrayLike<number> {
    if (this.#offsets !== undefined) return this.#offsets;
    if (this.#generation === generation) return fieldsOnTape;
    this.#offsets = cut(this.#text, this.#from, this.#length);
    return this.#offsets;
  }

  /** The value of `name`; several lines are joined in order with `", "` (RFC 9110 §5.3). */
  get(name: string): string | undefined {
    let found: string | undefined;
    for (let i = this.#find(name, 0); i !== -1; i = this.#find(name, i + 1)) {
      found = found === undefined ? lineValue(this, i) : `${found}, ${lineValue(this, i)}`;
    }
    return found;
  }

  /** The values of all lines named `name`, in order, as needed for `Set-Cookie`. */
  getAll(name: string): string[] {
    const values: string[] = [];
    for (let i = this.#find(name, 0); i !== -1; i = this.#find(name, i + 1)) {
      values.push(lineValue(this, i));
    }
    return values;
  }

  has(name: string): boolean {
    return this.#find(name, 0) !== -1;
  }

  /** The octets of {@link get}, for a value that is not text. */
  bytes(name: string): Uint8Array | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : textToLatin1(value);
  }

  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    for (let i = 0; i < this.#length; i++) yield [lineName(this, i), lineValue(this, i)];
  }

  /** Names and values in turn, like Node's `rawHeaders`. */
  toFlat(): string[] {
    if (this.#lines !== undefined) return [...this.#lines];
    const flat: string[] = [];
    const places = this.#places();
    for (let at = 0; at < this.#length * INTS_PER_FIELD; at += INTS_PER_FIELD) {
      const name = this.#text.substring(places[at]!, places[at + 1]!);
      flat.push(name, this.#text.substring(places[at + 2]!, places[at + 3]!));
    }
    return flat;
  }

  /** The pairs, verbatim: no value is hidden. */
  toJSON(): [name: string, value: string][] {
    return [...this];
  }

  /** @internal */
  [INSPECT](depth: number | null, options: object, inspect: Inspect): string {
    const lines = [...this].map(([name, value]) => {
      return `${name}: ${SECRET.has(name.toLowerCase()) ? "(hidden)" : value}`;
    });
    const each = { ...options, compact: false };
    return shown(`Headers(${this.#length})`, lines, depth, each, inspect);
  }

  #find(name: string, from: number): number {
    if (this.#lines !== undefined) return findLine(this.#lines, name, from);
    if (this.#offsets === undefined && this.#generation === generation) {
      const number = numberOf(name);
      if (number !== undefined) return findOnTape(number, name.length, from);
    }
    const places = this.#places();
    for (let i = from, at = from * INTS_PER_FIELD; i < this.#length; i++, at += INTS_PER_FIELD) {
      const start = places[at]!;
      const isAsLong = places[at + 1]! - start === name.length;
      if (isAsLong && isSameName(this.#text, start, name)) return i;
    }
    return -1;
  }
}

// For checking and writing: an instance's own methods may have been replaced.
const { nameAt, nameLengthAt, valueAt } = Headers.prototype;

/** Like {@link Headers.nameAt}, whatever the instance claims. */
export function lineName(headers: Headers, i: number): string {
  return nameAt.call(headers, i);
}

/** Like {@link Headers.nameLengthAt}, whatever the instance claims. */
export function lineNameLength(headers: Headers, i: number): number {
  return nameLengthAt.call(headers, i);
}

/** Like {@link Headers.valueAt}, whatever the instance claims. */
export function lineValue(headers: Headers, i: number): string {
  return valueAt.call(headers, i);
}

function findLine(lines: readonly string[], name: string, from: number): number {
  for (let i = from; i * 2 < lines.length; i++) {
    const one = lines[i * 2]!;
    if (one.length === name.length && isSameName(one, 0, name)) return i;
  }
  return -1;
}

// A log must not leak credentials.
const SECRET = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie"]);

/** Headers of the fields on the tape. The parser has checked every octet. */
export function headersOnTape(text: string): Headers {
  const length = tape[FIELDS]!;
  if (length === 0) return EMPTY;
  return new Headers(CHECKED, undefined, text, fieldsOnTape[0]!, length, undefined);
}

/** Headers of `length` lines from `from` on. The parser has checked every octet. */
export function receivedHeaders(text: string, from: number, length: number): Headers {
  return new Headers(CHECKED, undefined, text, from, length, cut(text, from, length));
}

function headersFrom(init: HeadersInit | undefined): Headers {
  if (init === undefined) return EMPTY;
  if (!isOurs(init)) return checkedHeaders(checkedLinesOf(init));
  // A subclass may return something other than what was checked.
  return Object.getPrototypeOf(init) === Headers.prototype ? init : new Headers(init);
}

function checkedLinesOf(init: HeadersInit | undefined): string[] {
  if (init === undefined) return [];
  if (isOurs(init)) return Headers.prototype.toFlat.call(init);
  // It has the prototype but not the lines, like a Proxy of Headers.
  if ((init as unknown) instanceof Headers) throw invalidShape(init);
  return checkedLines([...linesOf(init, undefined)]);
}

/** Headers of names and values in turn that are already checked. */
export function checkedHeaders(lines: readonly string[]): Headers {
  return new Headers(CHECKED, lines, "", 0, lines.length / 2, undefined);
}

const EMPTY = new Headers();

// The last headers sent, by number of lines: most messages repeat them, and they are already checked.
const MAX_REMEMBERED = 16;
type Remembered = { readonly headers: Headers; readonly lines: readonly string[] };
const recent = new Array<Remembered | undefined>(MAX_REMEMBERED).fill(undefined);

/** Like {@link Headers.from}, but reuses the last headers if the lines are the same. */
export function headersToSend(init: HeadersInit | undefined): Headers {
  if (!Array.isArray(init)) return Headers.from(init);
  const before = recent[init.length];
  const given = linesOf(init, before?.lines);
  if (before !== undefined && given === before.lines) return before.headers;
  const lines = checkedLines(given as unknown[]);
  const headers = checkedHeaders(lines);
  if (headers.length < MAX_REMEMBERED) recent[headers.length] = { headers, lines };
  return headers;
}

/** Part of `forget`. */
export function forgetHeaders(): void {
  recent.fill(undefined);
}

function cut(text: string, from: number, length: number): number[] {
  const offsets: number[] = [];
  for (let at = from; offsets.length < length * INTS_PER_FIELD; ) {
    at = cutFieldLine(text, at, offsets);
  }
  return offsets;
}

/** The headers, with `Connection: Upgrade` and `Upgrade` appended unless they are present. */
export function withUpgrade(headers: Headers, protocol: string): Headers {
  const given = Headers.from(headers);
  const options = given.getAll("connection").flatMap(listMembers);
  const added: string[] = [];
  if (!options.some((option) => option.toLowerCase() === "upgrade")) {
    added.push("Connection", "Upgrade");
  }
  if (!given.has("upgrade")) added.push("Upgrade", protocol);
  return added.length === 0 ? given : Headers.fromFlat([...given.toFlat(), ...added]);
}
