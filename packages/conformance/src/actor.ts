import { type Headers, LocalProtocolError } from "@upgrade/core";
import type { Body, Connection, Io, Parts, ReceivedMessage } from "@upgrade/core/io";
import { lengthOf } from "./deeds.ts";
import { escaped, unescaped } from "./octet-text.ts";
import type { Said, Step } from "./score.ts";
import { fieldLines } from "./transcript.ts";

/** An application on one end of a driven connection: does what its score says, tells what it hears. */
export interface Actor {
  readonly connection: Connection<Io>;
  readonly watch: Watch;
  /** Everything that was received, in the words of the book. */
  readonly messages: readonly Heard[];
  /** Says a message. Resolves with the code, where it was refused at once. */
  say(said: Said): Promise<string | undefined>;
  /** Goes on with the message in hand. */
  more(step: Step & { readonly kind: "more" }): void;
  /** An interim response. Why not, if it was refused. */
  inform(step: Step & { readonly kind: "inform" }): string | undefined;
  /** Everything that follows from the bytes that the peer has `sent` has happened. */
  look(sent: string): void;
  /** Answers, or ends, whatever it still owes. Returns how many answers that were. */
  settle(): number;
  /** The parts, where it is the application's to ask for them. */
  readonly parts?: Parts<Io> | undefined;
  /** Who should have been told that the peer is gone, and was not. */
  readonly ignorant: readonly string[];
  /** Why messages, and requests, came to no good end. */
  readonly failures: readonly unknown[];
  /** What is wrong with how it was left behind, after the end of everything. */
  complaints(): string[];
}

/** How an application goes about it. */
export interface Manners {
  /** It switches by itself, where it can; else by what it returns. */
  readonly switches: boolean;
  /** It reads every body; else it gives each up. */
  readonly reads: boolean;
}

/** Promises of ours, and which of them have not settled. */
export class Watch {
  readonly #open = new Map<object, string>();

  add<T>(name: string, promise: Promise<T>): Promise<T> {
    const key = {};
    this.#open.set(key, name);
    const settled = (): void => void this.#open.delete(key);
    promise.then(settled, settled);
    return promise;
  }

  /** The names of those that are still open. */
  get open(): string[] {
    return [...this.#open.values()];
  }
}

/** A message, as far as it was received. */
export class Heard {
  failure: unknown;
  /** The field lines of its head. */
  readonly fields: readonly string[];
  readonly #head: string;
  readonly #body: Uint8Array[] = [];
  #end: readonly string[] = [];

  constructor(head: string, headers: Headers) {
    this.#head = head;
    this.fields = fieldLines("field", headers);
  }

  /** Reads it to its end, or gives its body up at once. */
  async read(message: ReceivedMessage, watch: Watch, reads: boolean): Promise<void> {
    const trailers = watch.add("trailers", message.trailers);
    // Who reads a body that fails does not come to them.
    trailers.catch(() => {});
    const { body } = message;
    try {
      const done = reads ? this.#collect(body) : watch.add("cancel", body.cancel());
      // A second reader is told that it is one, and nobody need listen.
      void body.text();
      await done;
      const fields = fieldLines("trailer", await trailers);
      if (reads) this.#end = ["end-of-message", ...fields];
    } catch (error) {
      this.failure = error;
    }
  }

  async #collect(body: Body): Promise<void> {
    for await (const chunk of body) this.#body.push(chunk);
  }

  get lines(): string[] {
    const data = this.#body.length === 0 ? [] : [`data "${escaped(Buffer.concat(this.#body))}"`];
    return [this.#head, ...data, ...this.#end];
  }
}

/** A body that is said piece by piece, when the story says so. */
export class Pieces implements AsyncIterable<Uint8Array> {
  readonly #pieces: (Uint8Array | null)[] = [];
  #wake: (() => void) | undefined;
  /** Null is the end. */
  push(piece: Uint8Array | null): void {
    this.#pieces.push(piece);
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Uint8Array> {
    for (;;) {
      while (this.#pieces.length === 0) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
      }
      const piece = this.#pieces.shift()!;
      if (piece === null) return;
      yield piece;
    }
  }
}

/** A message as client and server take it. `pieces` where more of it is to come. */
export interface Content {
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  readonly trailers?: Said["trailers"];
  readonly pieces: Pieces | undefined;
}

/** What stands behind a head. Where only its length is told, it is made up. */
export function contentOf({ head, body, trailers, isWhole }: Said): Content {
  const { fields } = head;
  const length = lengthOf(head);
  if (isWhole && length !== "unknown") {
    const octets = body.length > 0 ? Buffer.concat(body) : Buffer.alloc(length ?? 0, "x");
    return { headers: fields, body: octets, pieces: undefined };
  }
  const pieces = new Pieces();
  for (const piece of body) pieces.push(piece);
  if (isWhole) pieces.push(null);
  const framed: Content["headers"] =
    typeof length === "number" ? [...fields, ["Content-Length", String(length)]] : fields;
  const known = trailers.length > 0 ? { trailers } : {};
  return { headers: framed, body: pieces, ...known, pieces };
}

/** A line of a `do` block that goes on with a body. */
export function goOn(pieces: Pieces | undefined, { deed }: Step & { readonly kind: "more" }): void {
  if (deed.words[0] === "data") pieces?.push(unescaped(deed.rest));
  else pieces?.push(null);
}

/** The code of what may not be done; whatever else is thrown is a fault of ours. */
export function codeOf(error: unknown): string {
  if (error instanceof LocalProtocolError) return error.code;
  throw error;
}
