// bytes of both directions → [transcript] → lines: heads, the moment of the switch, and what follows

import type { Clock } from "@upgrade/core/io";
import { maskHead } from "../mask.ts";

/** `>` is what the client sends, `<` what the server sends. */
export type Direction = ">" | "<";

const START = {
  ">": /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+ \S+ HTTP\/1\.[01]\r?\n/,
  "<": /^HTTP\/1\.[01] \d{3}/,
};
/** What may become such a line. */
const BEGINNING = {
  ">": /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?: \S*(?: H?T?T?P?\/?1?\.?[01]?\r?)?)?$/,
  "<": /^H?T?T?P?\/?1?\.?[01]? ?\d{0,2}$/,
};
const HEAD_END = /\r?\n\r?\n/;
const MAX_HEAD_BYTES = 64 * 1024;
const MAX_SHOWN_BYTES = 48;

interface Side {
  /** The part of a head that has arrived. */
  head: string;
  /** How much content comes before the next head; Infinity if only its end tells. */
  contentLeft: number;
}

/** The exchange of one connection, as text. */
export class Transcript {
  readonly #print: (line: string) => void;
  readonly #clock: Clock;
  readonly #began: number;
  readonly #showsSecrets: boolean;
  readonly #sides: Readonly<Record<Direction, Side>> = {
    ">": { head: "", contentLeft: 0 },
    "<": { head: "", contentLeft: 0 },
  };
  #isSwitched = false;

  constructor(print: (line: string) => void, clock: Clock, showsSecrets: boolean) {
    this.#print = print;
    this.#clock = clock;
    this.#began = clock.now();
    this.#showsSecrets = showsSecrets;
  }

  bytes(direction: Direction, bytes: Buffer): void {
    if (bytes.length === 0) return;
    const side = this.#sides[direction];
    if (this.#isSwitched) this.#after(direction, bytes);
    else if (side.contentLeft > 0 && !isNext(side, direction, bytes))
      this.#content(direction, bytes);
    else this.#head(direction, bytes);
  }

  /** One side has ended, or failed. */
  end(direction: Direction, how: string): void {
    const side = this.#sides[direction];
    if (START[direction].test(side.head)) this.#showHead(direction, side.head, " (cut)");
    else if (side.head !== "") this.#line(direction, count(side.head.length));
    side.head = "";
    this.#line(direction, how);
  }

  // It may hold secrets, so it is not shown.
  #content(direction: Direction, bytes: Buffer): void {
    const side = this.#sides[direction];
    const length = Math.min(bytes.length, side.contentLeft);
    this.#line(direction, count(length));
    side.contentLeft -= length;
    this.bytes(direction, bytes.subarray(length));
  }

  #head(direction: Direction, bytes: Buffer): void {
    const side = this.#sides[direction];
    const text = side.head + bytes.toString("latin1");
    const isHead = START[direction].test(text) || BEGINNING[direction].test(text);
    const end = HEAD_END.exec(text);
    side.head = "";
    side.contentLeft = 0;
    if (!isHead || (end === null && text.length > MAX_HEAD_BYTES)) {
      this.#line(direction, count(text.length));
    } else if (end === null) {
      side.head = text;
    } else {
      this.#whole(direction, text.slice(0, end.index));
      const rest = text.slice(end.index + end[0].length);
      this.bytes(direction, Buffer.from(rest, "latin1"));
    }
  }

  #whole(direction: Direction, head: string): void {
    this.#showHead(direction, head, "");
    this.#sides[direction].contentLeft = contentOf(direction, head);
    // Only an Upgrade: a request to a proxy for a tunnel is not traced here.
    if (direction !== "<" || !/^HTTP\/1\.[01] 101\b/.test(head)) return;
    this.#isSwitched = true;
    const [, protocol = "(it does not say what)"] = /^upgrade:[ \t]*(.*?)\r?$/im.exec(head) ?? [];
    this.#print(`${this.#time()} = switched to ${protocol}`);
  }

  #after(direction: Direction, bytes: Buffer): void {
    const shown = bytes.subarray(0, MAX_SHOWN_BYTES).toString("latin1");
    const text = JSON.stringify(shown).replace(
      /[\x7f-\xff]/g,
      (octet) => `\\x${octet.charCodeAt(0).toString(16)}`,
    );
    const more = bytes.length > MAX_SHOWN_BYTES ? " …" : "";
    this.#line(direction, `${bytes.length} bytes: ${text}${more}`);
  }

  #showHead(direction: Direction, head: string, suffix: string): void {
    const [first = "", ...fields] = maskHead(head, this.#showsSecrets).split(/\r?\n/);
    this.#line(direction, `${first}${suffix}`);
    for (const field of fields) this.#print(`${" ".repeat(10)} ${direction} ${field}`);
  }

  #line(direction: Direction, text: string): void {
    this.#print(`${this.#time()} ${direction} ${text}`);
  }

  #time(): string {
    return `${String(this.#clock.now() - this.#began).padStart(7)} ms`;
  }
}

/** Where only the end of content tells its length, a chunk that begins like a head is one. */
const NEXT = {
  ">": /^(?:GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT) \S+ HTTP\/1\.[01]\r?\n/,
  "<": START["<"],
};

function isNext({ contentLeft }: Side, direction: Direction, bytes: Buffer): boolean {
  return contentLeft === Number.POSITIVE_INFINITY && NEXT[direction].test(bytes.toString("latin1"));
}

const count = (bytes: number): string => `${bytes} bytes of content`;

/** How much content follows a head (RFC 9112 §6.3), as far as the head alone tells. */
function contentOf(direction: Direction, head: string): number {
  if (/^transfer-encoding:/im.test(head)) return Number.POSITIVE_INFINITY;
  const [, length] = /^content-length:[ \t]*(\d+)/im.exec(head) ?? [];
  if (length !== undefined) return Number(length);
  const hasNone = direction === ">" || /^HTTP\/1\.[01] (?:1\d\d|204|304)\b/.test(head);
  return hasNone ? 0 : Number.POSITIVE_INFINITY;
}
