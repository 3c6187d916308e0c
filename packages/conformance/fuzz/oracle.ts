// A second implementation of RFC 9110 and RFC 9112: regular expressions over one latin-1 string, slow
// and simple. It shares no code, and so no faults, with the core.

import {
  type Ask,
  type Bounds,
  CHUNK_LINE,
  checkExpect,
  checkHost,
  checkSwitch,
  checkTarget,
  declaredLength,
  demand,
  type Fields,
  type Length,
  offered,
  persists,
  REQUEST_LINE,
  Refusal,
  readFields,
  STATUS_LINE,
  valuesOf,
} from "./oracle-rules.ts";

export type { Ask, Bounds, Fields } from "./oracle-rules.ts";

/** The role of the reader, and what it does. */
export interface Situation {
  readonly role: "client" | "server";
  /** A client's requests, sent one after another. */
  readonly asks: readonly Ask[];
  /** A server's answer to a proposal. */
  readonly accepts: boolean;
  readonly bounds: Bounds;
  /** The peer's end of file follows the input. */
  readonly ended: boolean;
}

export interface Message {
  /** `GET /a HTTP/1.1`, `200 HTTP/1.1 OK`. */
  readonly start: string;
  readonly fields: Fields;
  body: string;
  trailers: Fields;
  complete: boolean;
}

/**
 * `more`: the input ends where more may follow. `over`: what follows is not HTTP, or must not be read
 * now. `refused`: the peer broke a rule. `incomplete`: the end came inside a message. `closed`: it came
 * between messages.
 */
export type Stop = "more" | "over" | "refused" | "incomplete" | "closed";

export interface Verdict {
  readonly messages: Message[];
  readonly stop: Stop;
  /** How many octets were HTTP. At a refusal: the beginning of what was refused. */
  readonly at: number;
  readonly why: string;
}

// Stops reading without a refusal: the input has no more.
class OutOfInput {}

interface Head {
  readonly line: RegExpExecArray;
  readonly fields: Fields;
}

/** Reads `input` as the listener of `situation` must. */
export function consult(input: string, situation: Situation): Verdict {
  const reading = new Reading(input, situation);
  return reading.all();
}

class Reading {
  readonly #input: string;
  readonly #situation: Situation;
  readonly #bounds: Bounds;
  readonly #messages: Message[] = [];
  // Everything up to here was HTTP.
  #at = 0;
  #ignored = 0;

  constructor(input: string, situation: Situation) {
    this.#input = input;
    this.#situation = situation;
    this.#bounds = situation.bounds;
  }

  all(): Verdict {
    try {
      const lives = this.#situation.role === "server" ? this.#requests() : this.#responses();
      return this.#afterLast(lives);
    } catch (thrown) {
      if (thrown instanceof Refusal) return this.#verdict("refused", thrown.why);
      if (thrown instanceof OutOfInput) return this.#dry();
      throw thrown;
    }
  }

  #verdict(stop: Stop, why = ""): Verdict {
    return { messages: this.#messages, stop, at: this.#at, why };
  }

  // The last message was read. The rest is not HTTP, or unsolicited.
  #afterLast(state: "switched" | "last" | "idle"): Verdict {
    if (state === "switched") return this.#verdict("over");
    if (this.#at === this.#input.length) {
      return this.#verdict(this.#situation.ended ? "closed" : "more");
    }
    // RFC 9112 §9.2: unsolicited bytes must not answer the next request.
    return state === "idle" ? this.#verdict("refused", "unsolicited") : this.#verdict("over");
  }

  #dry(): Verdict {
    if (!this.#situation.ended) return this.#verdict("more");
    const betweenMessages = this.#messages.at(-1)?.complete !== false;
    const onlyEmptyLines = /^(?:\r\n)*\r?$/.test(this.#input.slice(this.#at));
    const leaves = this.#situation.role === "server" && betweenMessages && onlyEmptyLines;
    return this.#verdict(leaves ? "closed" : "incomplete");
  }

  #requests(): "switched" | "last" {
    for (;;) {
      const { line, fields } = this.#head();
      const [, method = "", target = "", minor] = line;
      checkTarget(method, target, this.#bounds);
      checkHost(minor === "1", fields);
      checkExpect(minor === "1", fields);
      const declared = declaredLength(minor === "1", fields);
      demand(method !== "CONNECT" || declared === undefined, "CONNECT with a body");
      // RFC 9112 §6.3 rule 4.
      demand(declared !== "until-close", "a request without a detectable end");
      // RFC 9112 §7.1.2: only chunked has trailers; otherwise they would be a second request.
      const trails = valuesOf(fields, "trailer").length > 0 && typeof declared === "number";
      demand(!trails, "trailers with a length");
      const length = this.#allowed(declared ?? 0);
      this.#message(`${method} ${target} HTTP/1.${minor}`, fields);
      const proposes = method === "CONNECT" || (minor === "1" && offered(fields).length > 0);
      this.#body(length);
      if (proposes && this.#situation.accepts) return "switched";
      // RFC 9931 §8: bytes after a refused CONNECT may belong to the tunnel.
      if (method === "CONNECT" || !persists(minor === "1", fields)) return "last";
    }
  }

  #responses(): "switched" | "last" | "idle" {
    for (const ask of this.#situation.asks) {
      const end = this.#answer(ask);
      if (end !== "next") return end;
      if (ask.last) return "last";
    }
    return "idle";
  }

  #answer(ask: Ask): "switched" | "last" | "next" {
    let { withheld } = ask;
    for (let interims = 0; ; interims++) {
      const { line, fields } = this.#head();
      const [, minor, code, reason = ""] = line;
      const status = Number(code);
      const start = `${status} HTTP/1.${minor} ${reason}`;
      if (status === 101) {
        checkSwitch(minor === "1", fields, ask, withheld);
        this.#message(start, fields);
        return "switched";
      }
      const tunnel = ask.method === "CONNECT" && status >= 200 && status <= 299;
      if (tunnel) {
        // RFC 9112 §6.3 rule 2: whatever the fields say.
        this.#message(start, fields);
        return "switched";
      }
      const declared = declaredLength(minor === "1", fields);
      if (status < 200) {
        demand(interims < this.#bounds.maxInterimResponses, "too many interim responses");
        if (status === 100) withheld = false;
        this.#message(start, fields).complete = true;
        continue;
      }
      const bodiless = ask.method === "HEAD" || status === 204 || status === 304;
      const length = bodiless ? 0 : this.#allowed(declared ?? "until-close");
      this.#message(start, fields);
      this.#body(length);
      const lives = persists(minor === "1", fields) && length !== "until-close";
      return lives ? "next" : "last";
    }
  }

  #message(start: string, fields: Fields): Message {
    const message = { start, fields, body: "", trailers: [], complete: false };
    this.#messages.push(message);
    this.#at = this.#next;
    return message;
  }

  // The end of the current head, which is HTTP only once it is accepted.
  #next = 0;

  #head(): Head {
    const kind = this.#situation.role === "server" ? REQUEST_LINE : STATUS_LINE;
    let start = this.#at;
    // RFC 9112 §2.2: empty lines before a request line.
    while (kind === REQUEST_LINE && this.#input.startsWith("\r\n", start)) start += 2;
    demand(!/^(?:\n|\r[^\n])/.test(this.#input.slice(start, start + 2)), "a lone CR or LF");
    demand(kind === REQUEST_LINE || !this.#input.startsWith("\r", start), "an empty line");
    const end = this.#input.indexOf("\r\n\r\n", start);
    const { maxHeadBytes, maxHeaders } = this.#bounds;
    if (end === -1) {
      demand(this.#input.length - this.#at < maxHeadBytes, "too long a head");
      throw new OutOfInput();
    }
    demand(end + 4 - this.#at <= maxHeadBytes, "too long a head");
    const [first = "", ...lines] = this.#input.slice(start, end).split("\r\n");
    const line = kind.exec(first);
    if (line === null) throw new Refusal("start line");
    const fields = readFields(lines);
    demand(fields.length <= maxHeaders, "too many fields");
    this.#next = end + 4;
    return { line, fields };
  }

  #allowed(length: Length): Length {
    if (typeof length === "number") demand(length <= this.#bounds.maxBodyBytes, "too long a body");
    return length;
  }

  #body(length: Length): void {
    const message = this.#messages.at(-1)!;
    if (length === "chunked") this.#chunked(message);
    else this.#counted(message, length === "until-close" ? Infinity : length);
    message.complete = true;
  }

  // Takes up to `length` octets of data, and runs dry if there are fewer.
  #counted(message: Message, length: number): void {
    const room = this.#bounds.maxBodyBytes - message.body.length;
    const data = this.#input.slice(this.#at, this.#at + Math.min(length, room));
    message.body += data;
    this.#at += data.length;
    if (data.length === length) return;
    demand(this.#at === this.#input.length, "too long a body");
    // RFC 9112 §6.3 rule 8: only such a body ends with the connection.
    if (length === Infinity && this.#situation.ended) return;
    throw new OutOfInput();
  }

  #chunked(message: Message): void {
    this.#ignored = 0;
    for (let size = this.#chunkLine(); size > 0; size = this.#chunkLine()) {
      this.#counted(message, size);
      const end = this.#input.slice(this.#at, this.#at + 2);
      demand("\r\n".startsWith(end), "no CRLF after a chunk");
      this.#at += end.length;
      if (end.length < 2) throw new OutOfInput();
    }
    message.trailers = this.#trailers();
  }

  #chunkLine(): number {
    const end = this.#input.indexOf("\r\n", this.#at);
    const text = this.#input.slice(this.#at, end === -1 ? undefined : end);
    const [, zeros = "", digits = "", extensions = ""] = CHUNK_LINE.exec(text) ?? [];
    // Leading zeros of a size are as meaningless as extensions.
    const silent = digits === "" ? zeros.length - 1 : zeros.length;
    const ignored = this.#ignored + silent + extensions.length;
    if (end === -1) {
      demand(ignored <= this.#bounds.maxChunkExtensionBytes, "too long extensions");
      this.#at = this.#input.length;
      throw new OutOfInput();
    }
    demand(CHUNK_LINE.test(text) && zeros + digits !== "", "chunk line");
    demand(ignored <= this.#bounds.maxChunkExtensionBytes, "too long extensions");
    demand(digits.length <= 13, "too large a chunk");
    this.#ignored = ignored;
    this.#at = end + 2;
    return digits === "" ? 0 : Number.parseInt(digits, 16);
  }

  #trailers(): Fields {
    const { maxTrailerBytes, maxTrailers } = this.#bounds;
    const max = Math.max(maxTrailerBytes, 2);
    const start = this.#at;
    const empty = this.#input.startsWith("\r\n", start);
    const end = empty ? start - 2 : this.#input.indexOf("\r\n\r\n", start);
    if (!empty && end === -1) {
      demand(this.#input.length - start < max, "too long a trailer section");
      throw new OutOfInput();
    }
    demand(end + 4 - start <= max, "too long a trailer section");
    const fields = empty ? [] : readFields(this.#input.slice(start, end).split("\r\n"));
    demand(fields.length <= maxTrailers, "too many trailers");
    this.#at = end + 4;
    return fields;
  }
}
