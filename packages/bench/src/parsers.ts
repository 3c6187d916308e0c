// Three parsers of request heads, driven directly, each with the state of one connection.

import { type Headers, HttpConnection, type LimitOptions, type Sink } from "@upgrade/core";

export interface Parser {
  /** Feeds bytes, and handles all resulting events. */
  take(bytes: Buffer): void;
  /** The value of one field of the last head; the name is in lower case. */
  read(name: string): string | undefined;
  /** Names and values of the last head, in turn, as strings. */
  all(): readonly string[];
  /** Prepares for the next message. */
  reset(): void;
}

const DISCARD: Sink = { text: () => {}, bytes: () => {} };

/** Ours: audited, checked, and with its state machine. A reset is a response and the next cycle. */
export class OurParser implements Parser {
  readonly #connection: HttpConnection;
  #headers!: Headers;

  constructor(limits: LimitOptions = {}) {
    this.#connection = new HttpConnection("server", limits);
  }

  take(bytes: Buffer): void {
    const connection = this.#connection;
    connection.receiveData(bytes);
    let next = connection.nextEvent();
    while (typeof next === "object") {
      if (next.type === "request") this.#headers = next.headers;
      next = connection.nextEvent();
    }
  }

  read(name: string): string | undefined {
    return this.#headers.get(name);
  }

  all(): readonly string[] {
    return this.#headers.toFlat();
  }

  reset(): void {
    this.#connection.sendTo(DISCARD, { type: "response", status: 200, bodyLength: 0 });
    this.#connection.sendTo(DISCARD, { type: "end-of-message" });
    this.#connection.startNextCycle();
  }
}

interface NativeHttpParser {
  [callback: number]: unknown;
  initialize(kind: number, resource: object): void;
  execute(bytes: Uint8Array): number | Error;
}
interface NativeHttpParserClass {
  new (): NativeHttpParser;
  readonly REQUEST: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
}

/** The parser of node:http: native llhttp, which returns an array of strings. */
export class NativeParser implements Parser {
  readonly #parser: NativeHttpParser;
  readonly #flushed: string[] = [];
  #lines: readonly string[] = [];

  constructor() {
    const HttpParser = nativeHttpParser();
    const parser = new HttpParser();
    parser.initialize(HttpParser.REQUEST, {});
    // More than 32 fields come in batches.
    parser[HttpParser.kOnHeaders] = (lines: string[]) => void this.#flushed.push(...lines);
    parser[HttpParser.kOnHeadersComplete] = (_: number, __: number, lines?: string[]) => {
      this.#lines = lines ?? this.#flushed.splice(0);
      return 0;
    };
    this.#parser = parser;
  }

  take(bytes: Buffer): void {
    const result = this.#parser.execute(bytes);
    if (typeof result !== "number") throw result;
  }

  read(name: string): string | undefined {
    const lines = this.#lines;
    for (let i = 0; i < lines.length; i += 2) {
      if (lines[i]!.length === name.length && lines[i]!.toLowerCase() === name) return lines[i + 1];
    }
    return undefined;
  }

  all(): readonly string[] {
    return this.#lines;
  }

  reset(): void {
    // It continues by itself.
  }
}

function nativeHttpParser(): NativeHttpParserClass {
  const { binding } = process as unknown as {
    binding(name: string): { HTTPParser: NativeHttpParserClass };
  };
  return binding.call(process, "http_parser").HTTPParser;
}
