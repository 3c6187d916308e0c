import { type Headers, LocalProtocolError } from "@upgrade/core";
import type { Body, Connection, Io, Parts, ReceivedMessage } from "@upgrade/core/io";
import { lengthOf } from "../stories/actions.ts";
import { escaped, unescaped } from "../stories/octet-text.ts";
import { fieldLines } from "../stories/transcript.ts";
import type { OurMessage, Step } from "./script.ts";

/** An application on one end of a driven connection: does what its script says, and records events. */
export interface Actor {
  readonly connection: Connection<Io>;
  readonly watch: Watch;
  /** Everything received, as lines of a story. */
  readonly messages: readonly MessageLog[];
  /** Sends a message. Resolves with the code if it was refused at once. */
  send(ourMessage: OurMessage): Promise<string | undefined>;
  /** Continues the current message. */
  more(step: Step & { readonly kind: "more" }): void;
  /** Sends an interim response. Returns the reason if it was refused. */
  interim(step: Step & { readonly kind: "interim" }): string | undefined;
  /** Resolves once everything that follows from the bytes `sent` by the peer has happened. */
  look(sent: string): void;
  /** Completes all pending responses. Returns their number. */
  settle(): number;
  /** The parts, if the application has to request them. */
  readonly parts?: Parts<Io> | undefined;
  /** What should have reported that the peer is gone, and did not. */
  readonly unaware: readonly string[];
  /** Why messages and requests failed. */
  readonly failures: readonly unknown[];
  /** What was left behind after the end. */
  complaints(): string[];
}

/** How an application behaves. */
export interface Behavior {
  /** Switches by itself, if possible; otherwise by what it returns. */
  readonly switches: boolean;
  /** Reads every body; otherwise cancels each. */
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

  /** The names of those still pending. */
  get open(): string[] {
    return [...this.#open.values()];
  }
}

/** A message, as far as received. */
export class MessageLog {
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

  /** Reads it to its end, or cancels its body at once. */
  async read(message: ReceivedMessage, watch: Watch, reads: boolean): Promise<void> {
    const trailers = watch.add("trailers", message.trailers);
    // The reader of a failed body never gets them.
    trailers.catch(() => {});
    const { body } = message;
    try {
      const done = reads ? this.#collect(body) : watch.add("cancel", body.cancel());
      // A second reader is refused, and its promise may be ignored.
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

/** A body sent piece by piece, as the story says. */
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

/** A message as client and server accept it, with `pieces` if more of it follows. */
export interface Content {
  readonly headers: readonly (readonly [string, string])[];
  readonly body: Uint8Array | AsyncIterable<Uint8Array>;
  readonly trailers?: OurMessage["trailers"];
  readonly pieces: Pieces | undefined;
}

/** The body after a head. If only its length is given, its content is made up. */
export function contentOf({ head, body, trailers, isWhole }: OurMessage): Content {
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

/** Whether a line of a `do` block continues a body. */
export function continueBody(
  pieces: Pieces | undefined,
  { action }: Step & { readonly kind: "more" },
): void {
  if (action.words[0] === "data") pieces?.push(unescaped(action.rest));
  else pieces?.push(null);
}

/** The code of a refusal; any other error is a bug. */
export function codeOf(error: unknown): string {
  if (error instanceof LocalProtocolError) return error.code;
  throw error;
}
