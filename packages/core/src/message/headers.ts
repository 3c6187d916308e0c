// bytes → parser → [headers] → events: ordered field lines, given or received

import { LocalProtocolError } from "../base/errors.ts";
import { INSPECT, type Inspect, shown } from "../base/inspect.ts";
import { textToLatin1 } from "../base/octets.ts";
import { listMembers } from "../base/tokens.ts";
import { type FieldLines, GivenLines } from "./field-lines.ts";
import { checkedLines, invalidShape, linesOf } from "./headers-init.ts";

/** What is accepted as headers to send. Numbers are written in decimal. */
export type HeadersInit =
  | Headers
  | Iterable<readonly [name: string, value: string | number]>
  | { readonly [name: string]: string | number | readonly (string | number)[] | undefined };

// Set by the class, which must not refer to itself by name: bundlers would rename it.
let isOurs: (init: unknown) => init is Headers;

/** The lines of headers, whatever the instance claims: its own methods may have been replaced. */
export let linesIn: (headers: Headers) => FieldLines;

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
  readonly #lines: FieldLines;

  /**
   * Headers from pairs, a record (a list as a value makes several lines), or a WHATWG `Headers`.
   * Empty without an argument.
   *
   * @throws {LocalProtocolError} `INVALID_HEADERS` for another shape, `INVALID_HEADER` for a name
   *   that is not a token, or a value with CR, LF, NUL, another control character, a code point above
   *   U+00FF, or white space around it.
   */
  constructor(init?: HeadersInit);
  /** @internal Lines that are already checked. */
  constructor(checked: typeof CHECKED, lines: FieldLines);
  constructor(init?: HeadersInit | typeof CHECKED, lines?: FieldLines) {
    this.#lines = init === CHECKED ? lines! : new GivenLines(checkedLinesOf(init));
  }

  static {
    // Not instanceof: any object can be given the prototype, but not the private lines.
    isOurs = (init): init is Headers => typeof init === "object" && init !== null && #lines in init;
    linesIn = (headers) => headers.#lines;
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
    return this.#lines.length;
  }

  /** The name of line `i`, spelled as in the message. */
  nameAt(i: number): string {
    return this.#lines.nameAt(i);
  }

  /** The length of the name of line `i`: enough to skip most lines without cutting them. */
  nameLengthAt(i: number): number {
    return this.#lines.nameLengthAt(i);
  }

  /** The value of line `i`, without surrounding white space. */
  valueAt(i: number): string {
    return this.#lines.valueAt(i);
  }

  /** The value of `name`; several lines are joined in order with `", "` (RFC 9110 §5.3). */
  get(name: string): string | undefined {
    const lines = this.#lines;
    let found: string | undefined;
    for (let i = lines.find(name, 0); i !== -1; i = lines.find(name, i + 1)) {
      found = found === undefined ? lines.valueAt(i) : `${found}, ${lines.valueAt(i)}`;
    }
    return found;
  }

  /** The values of all lines named `name`, in order, as needed for `Set-Cookie`. */
  getAll(name: string): string[] {
    const lines = this.#lines;
    const values: string[] = [];
    for (let i = lines.find(name, 0); i !== -1; i = lines.find(name, i + 1)) {
      values.push(lines.valueAt(i));
    }
    return values;
  }

  has(name: string): boolean {
    return this.#lines.find(name, 0) !== -1;
  }

  /** The octets of {@link get}, for a value that is not text. */
  bytes(name: string): Uint8Array | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : textToLatin1(value);
  }

  *[Symbol.iterator](): Generator<[name: string, value: string]> {
    const lines = this.#lines;
    for (let i = 0; i < lines.length; i++) yield [lines.nameAt(i), lines.valueAt(i)];
  }

  /** Names and values in turn, like Node's `rawHeaders`. */
  toFlat(): string[] {
    return this.#lines.toFlat();
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
    return shown(`Headers(${this.#lines.length})`, lines, depth, each, inspect);
  }
}

// A log must not leak credentials.
const SECRET = new Set(["authorization", "proxy-authorization", "cookie", "set-cookie"]);

/** Headers of lines that the parser has checked. */
export function headersOf(lines: FieldLines): Headers {
  return lines.length === 0 ? EMPTY : new Headers(CHECKED, lines);
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
  return new Headers(CHECKED, new GivenLines(lines));
}

const EMPTY = new Headers();

/** Like {@link Headers.from}, but returns the headers `before` if the lines are the same. */
export function headersToSend(init: HeadersInit | undefined, before: Headers | undefined): Headers {
  if (before === undefined || !Array.isArray(init)) return headersFrom(init);
  const lines = linesIn(before);
  if (!(lines instanceof GivenLines)) return headersFrom(init);
  const given = linesOf(init, lines.flat);
  return given === lines.flat ? before! : checkedHeaders(checkedLines([...given]));
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
