// MessagePort ↔ [port stream] ↔ application: bytes in messages, between threads, workers and frames

import { LocalProtocolError } from "../base/errors.ts";
import { asBytes } from "../base/octets.ts";
import { checkOptions, type Kinds } from "../base/options.ts";
import { type ByteStream, hasMethods } from "./byte-stream.ts";
import { messageOf } from "./causes.ts";
import { Deferred } from "./deferred.ts";
import { Inbox } from "./inbox.ts";

/** A `MessagePort` of Node, Deno, Bun or a browser, by shape. */
export interface PortLike {
  postMessage(message: unknown, transfer: ArrayBuffer[]): void;
  addEventListener(type: string, listener: (event: object) => void): unknown;
  removeEventListener(type: string, listener: (event: object) => void): unknown;
  start(): void;
  close(): void;
}

/** Options of {@link portStream}. */
export interface PortStreamOptions {
  /** How many bytes the other end may send before they are read here. Default 65,536. */
  readonly highWaterBytes?: number | undefined;
}

const PORT_OPTIONS: Kinds<PortStreamOptions> = {
  highWaterBytes: {
    says: "a whole number of at least 1",
    fits: (value) => Number.isSafeInteger(value) && (value as number) >= 1,
  },
};

/** About a small socket buffer. */
const HIGH_WATER_BYTES = 65_536;

/**
 * One end of a `MessageChannel` as a {@link ByteStream}, whose other end is a `portStream`, too: in a
 * worker, a thread, or a frame.
 *
 * Bytes are copied once, then transferred. Neither end sends more than the other has room for, so a
 * write waits until the other end reads. The port belongs to the stream from this call on, and is
 * closed when both sides have ended, or one has failed; until then it keeps a process of Node alive.
 * If the other end closes its port, exits, or sends anything that is not of a `portStream`, that is a
 * failure. See docs/transports.md.
 *
 * @throws {LocalProtocolError} `INVALID_IO`: not a MessagePort. `INVALID_OPTION`.
 */
export function portStream(port: PortLike, options: PortStreamOptions = {}): ByteStream {
  if (!hasMethods(port, "postMessage", "addEventListener", "start", "close")) {
    throw new LocalProtocolError("INVALID_IO", "not a MessagePort");
  }
  checkOptions(options, PORT_OPTIONS);
  return new PortStream(port, options.highWaterBytes ?? HIGH_WATER_BYTES);
}

/**
 * What one end sends the other: bytes; how many more of them it has room for; its end; or why it has
 * failed. The first message is the room at the start.
 */
type Message = Uint8Array | number | typeof END | { readonly aborted: string };

// Not null or undefined, which a stray postMessage() sends.
const END = "end";

interface Unsent {
  readonly chunk: Uint8Array;
  readonly written: Deferred<void>;
}

class PortStream implements ByteStream {
  readonly #port: PortLike;
  readonly #highWater: number;
  readonly #inbox = new Inbox((length) => this.#taken(length));
  readonly #gone = new Deferred<unknown>();
  /** How many bytes the other end may still send. */
  #granted = 0;
  /** Bytes that were read, and not granted again yet. */
  #freed = 0;
  /** How many bytes the other end has room for. */
  #room = 0;
  #unsent: Unsent[] = [];
  #closing: Deferred<void> | undefined;
  #hasEnded = false;
  #failure: Error | undefined;

  constructor(port: PortLike, highWater: number) {
    this.#port = port;
    this.#highWater = highWater;
    port.addEventListener("message", this.#onMessage);
    port.addEventListener("messageerror", this.#onUnreadable);
    port.addEventListener("close", this.#onClose);
    port.start();
    this.#grant(highWater);
  }

  get gone(): Promise<unknown> {
    return this.#gone.promise;
  }

  read(): Promise<Uint8Array | null> {
    return this.#inbox.read();
  }

  cancelRead(): boolean {
    return this.#inbox.cancelRead();
  }

  write(chunks: readonly Uint8Array[]): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#closing !== undefined) return Promise.reject(new Error("write after end"));
    const written = chunks
      .filter(({ length }) => length > 0)
      .map((chunk) => {
        const unsent = { chunk, written: new Deferred<void>() };
        this.#unsent.push(unsent);
        return unsent.written.promise;
      });
    this.#send();
    return Promise.all(written).then(() => {});
  }

  closeWrite(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    this.#closing ??= new Deferred();
    const { promise } = this.#closing;
    this.#send();
    return promise;
  }

  abort(reason: unknown): void {
    this.#end(new Error("aborted", { cause: reason }), reason);
  }

  // Sends what the other end has room for; the end needs none.
  #send(): void {
    while (this.#unsent.length > 0 && this.#room > 0 && this.#failure === undefined) {
      const { chunk, written } = this.#unsent.shift()!;
      const sent = chunk.subarray(0, this.#room);
      const rest = chunk.subarray(sent.length);
      this.#room -= sent.length;
      if (rest.length > 0) this.#unsent.unshift({ chunk: rest, written });
      // In memory of its own: the rest of its buffer is not ours to give away.
      const own = new Uint8Array(sent);
      if (!this.#post(own, [own.buffer])) written.reject(this.#failure);
      else if (rest.length === 0) written.resolve();
    }
    const isDue = this.#closing !== undefined && this.#unsent.length === 0 && !this.#hasEnded;
    if (!isDue || this.#failure !== undefined) return;
    this.#hasEnded = true;
    if (!this.#post(END)) return;
    this.#closing!.resolve();
    this.#closeIfEnded();
  }

  #taken(length: number): void {
    this.#freed += length;
    // Half of it, so that a message is not sent for every chunk, and the other end need not wait.
    if (this.#freed < this.#highWater / 2 || this.#inbox.isEnded) return;
    this.#grant(this.#freed);
    this.#freed = 0;
  }

  #grant(length: number): void {
    this.#granted += length;
    this.#post(length);
  }

  // Returns false if the port failed, and the stream with it.
  #post(message: Message, transfer: ArrayBuffer[] = []): boolean {
    try {
      this.#port.postMessage(message, transfer);
      return true;
    } catch (error) {
      this.#end(new Error("the port failed", { cause: error }), error);
      this.#gone.resolve(this.#failure);
      return false;
    }
  }

  readonly #onMessage = (event: object): void => {
    if (this.#failure !== undefined) return;
    const { data } = event as { readonly data?: unknown };
    const bytes = asBytes(data);
    if (bytes !== undefined) this.#receive(bytes);
    else if (data === END) {
      this.#inbox.end();
      this.#closeIfEnded();
    } else if (Number.isSafeInteger(data) && (data as number) > 0) {
      this.#room += data as number;
      this.#send();
    } else {
      const { aborted } = Object(data) as { aborted?: unknown };
      if (typeof aborted === "string") this.#fail(`the other end aborted: ${aborted}`);
      else this.#fail("the other end sent a message that is not of a portStream");
    }
  };

  #receive(bytes: Uint8Array): void {
    this.#granted -= bytes.length;
    if (this.#inbox.isEnded) this.#fail("the other end sent bytes after its end");
    else if (this.#granted < 0) this.#fail("the other end sent more bytes than there is room for");
    else if (bytes.length > 0) this.#inbox.push(bytes);
  }

  readonly #onUnreadable = (): void =>
    this.#fail("the other end sent a message that is unreadable");

  readonly #onClose = (): void => this.#fail("the port is closed");

  #fail(message: string): void {
    if (this.#failure !== undefined) return;
    const failure = new Error(message);
    this.#end(failure, failure);
    this.#gone.resolve(failure);
  }

  #end(failure: Error, reason: unknown): void {
    if (this.#failure !== undefined) return;
    this.#failure = failure;
    this.#post({ aborted: messageOf(reason) });
    this.#close();
    this.#inbox.fail(failure);
    for (const { written } of this.#unsent.splice(0)) written.reject(failure);
    this.#closing?.reject(failure);
  }

  #closeIfEnded(): void {
    if (!this.#hasEnded || !this.#inbox.isEnded) return;
    // The messages already sent arrive before the other end learns of this.
    this.#close();
  }

  #close(): void {
    const port = this.#port;
    port.removeEventListener("message", this.#onMessage);
    port.removeEventListener("messageerror", this.#onUnreadable);
    port.removeEventListener("close", this.#onClose);
    port.close();
  }
}
