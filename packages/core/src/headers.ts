// bytes → parser → [headers] → events: ordered field lines, cut from the head only when asked for

import { findOnTape, numberOf } from "./asked.ts";
import { LocalProtocolError } from "./errors.ts";
import { cutFieldLine } from "./field-line.ts";
import { checkedLines, invalidShape, linesOf } from "./given-lines.ts";
import { INSPECT, type Inspect, shown } from "./inspect.ts";
import { textToLatin1 } from "./octets.ts";
import { fieldsOnTape, page, tape } from "./tape.ts";
import { FIELDS, INTS_PER_FIELD } from "./tape-layout.ts";
import { isSameName, listMembers } from "./tokens.ts";

/** What may be given where headers are sent. Numbers are written in decimal. */
export type HeadersInit =
  | Headers
  | Iterable<readonly [name: string, value: string | number]>
  | { readonly [name: string]: string | number | readonly (string | number)[] | undefined };

// Set by the class, which names itself nowhere: bundlers give another name to one that does.
let isOurs: (init: unknown) => init is Headers;

/** How many field lines, whatever the instance says. */
export let lineCount: (headers: Headers) => number;

// What comes with this was checked before. No other file can have it.
const CHECKED = Symbol("checked");

/**
 * An ordered, immutable list of field lines that keeps spelling, order and duplicates.
 *
 * Every instance is valid to send: names are tokens, values hold no control characters but HTAB,
 * and each character stands for one octet (latin-1).
 *
 * A console shows the lines without the values of `Authorization`, `Proxy-Authorization`, `Cookie`
 * and `Set-Cookie`.
 */
export class Headers implements Iterable<[name: string, value: string]> {
  // Built: names and values in turn.
  readonly #lines: readonly string[] | undefined;
  // Received: the head's text. Where its fields stand is on the tape, as long as that is at the
  // page of this head; who asks later has the text cut again.
  readonly #text: string;
  readonly #from: number;
  readonly #page: number;
  #offsets: readonly number[] | undefined;
  readonly #length: number;

  /**
   * Headers from pairs, a record (a list as value makes several lines), or a WHATWG `Headers`.
   * Without an argument there are none.
   *
   * @throws {LocalProtocolError} `INVALID_HEADERS` for another shape, `INVALID_HEADER` for a name
   *   that is no token, or a value with CR, LF, NUL, another control character, a code point above
   *   U+00FF, or white space around it.
   */
  constructor(init?: HeadersInit);
  /** @internal Lines that were checked, or the places of lines in a text. */
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
    this.#page = page;
    this.#offsets = offsets;
    this.#length = isChecked ? length : this.#lines!.length / 2;
  }

  static {
    // Not instanceof: a prototype can be given to any object, and has no lines.
    isOurs = (init): init is Headers => typeof init === "object" && init !== null && #lines in init;
    lineCount = (headers) => headers.#length;
  }

  /**
   * As the constructor, but for headers it gives these very ones.
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

  /** How many field lines. */
  get length(): number {
    return this.#length;
  }

  /** The name of line `i`, as it was written. */
  nameAt(i: number): string {
    if (this.#lines !== undefined) return this.#lines[i * 2]!;
    const at = i * INTS_PER_FIELD;
    const places = this.#places();
    return this.#text.substring(places[at]!, places[at + 1]!);
  }

  /** The length of the name of line `i`: enough to pass over most lines without cutting them. */
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
    if (this.#page === page) return fieldsOnTape;
    this.#offsets = cut(this.#text, this.#from, this.#length);
    return this.#offsets;
  }

  /** The value of `name`; several lines are joined with `", "` in order (RFC 9110 §5.3). */
  get(name: string): string | undefined {
    let found: string | undefined;
    for (let i = this.#find(name, 0); i !== -1; i = this.#find(name, i + 1)) {
      found = found === undefined ? lineValue(this, i) : `${found}, ${lineValue(this, i)}`;
    }
    return found;
  }

  /** The values of all lines called `name`, in order: what `Set-Cookie` needs. */
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

  /** The octets of {@link get}, for values that are not text. */
  bytes(name: string): Uint8Array | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : textToLatin1(value);
  }

  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    for (let i = 0; i < this.#length; i++) yield [lineName(this, i), lineValue(this, i)];
  }

  /** Names and values in turn, as Node's `rawHeaders`. */
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

  /** Pairs, verbatim: no value is hidden. */
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
    if (this.#offsets === undefined && this.#page === page) {
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

// For what is checked and written: an instance's own methods may be replaced by anybody.
const { nameAt, nameLengthAt, valueAt } = Headers.prototype;

/** As {@link Headers.nameAt}, whatever the instance says. */
export function lineName(headers: Headers, i: number): string {
  return nameAt.call(headers, i);
}

/** As {@link Headers.nameLengthAt}, whatever the instance says. */
export function lineNameLength(headers: Headers, i: number): number {
  return nameLengthAt.call(headers, i);
}

/** As {@link Headers.valueAt}, whatever the instance says. */
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

// Logs are read by many who may not act as the user.
const SECRET = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie"]);

/** For the parser, which has checked every octet: headers of the fields on the tape. */
export function headersOnTape(text: string): Headers {
  const length = tape[FIELDS]!;
  if (length === 0) return EMPTY;
  return new Headers(CHECKED, undefined, text, fieldsOnTape[0]!, length, undefined);
}

/** For the parser, which has checked every octet: headers of `length` lines from `from` on. */
export function receivedHeaders(text: string, from: number, length: number): Headers {
  return new Headers(CHECKED, undefined, text, from, length, cut(text, from, length));
}

function headersFrom(init: HeadersInit | undefined): Headers {
  if (init === undefined) return EMPTY;
  if (!isOurs(init)) return checkedHeaders(checkedLinesOf(init));
  // A subclass may answer otherwise than it was checked.
  return Object.getPrototypeOf(init) === Headers.prototype ? init : new Headers(init);
}

function checkedLinesOf(init: HeadersInit | undefined): string[] {
  if (init === undefined) return [];
  if (isOurs(init)) return Headers.prototype.toFlat.call(init);
  // It has the methods of ours and not the lines, as a Proxy around one.
  if ((init as unknown) instanceof Headers) throw invalidShape(init);
  return checkedLines([...linesOf(init, undefined)]);
}

/** For lines of other headers: names and values in turn, checked when those were made. */
export function checkedHeaders(lines: readonly string[]): Headers {
  return new Headers(CHECKED, lines, "", 0, lines.length / 2, undefined);
}

const EMPTY = new Headers();

// The last headers of so many lines, for the process: many say the same again and again, and it was
// checked the first time.
const MOST_REMEMBERED = 16;
type Remembered = { readonly headers: Headers; readonly lines: readonly string[] };
const recent = new Array<Remembered | undefined>(MOST_REMEMBERED).fill(undefined);

/** As {@link Headers.from}, for a message that is being sent: the next is often the same. */
export function headersToSend(init: HeadersInit | undefined): Headers {
  if (!Array.isArray(init)) return Headers.from(init);
  const before = recent[init.length];
  const came = linesOf(init, before?.lines);
  if (before !== undefined && came === before.lines) return before.headers;
  const lines = checkedLines(came as unknown[]);
  const headers = checkedHeaders(lines);
  if (headers.length < MOST_REMEMBERED) recent[headers.length] = { headers, lines };
  return headers;
}

/** As `forget`, of what is remembered here. */
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

/** The headers with `Connection: Upgrade` and `Upgrade` behind them, each unless it is there. */
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
