// io ↔ [trace] ↔ handshake: prints the bytes on the wire and the moment of the switch

import type { Socket } from "node:net";
import { Duplex } from "node:stream";
import type { Parts } from "@upgrade/core/io";
import picocolors from "picocolors";

type Colors = ReturnType<typeof picocolors.createColors>;

/** How much of one chunk is shown: enough for a head, not for a page. */
const MAX_LINES = 20;
const MAX_LINE_LENGTH = 160;

/** Prints the traffic of one end of a connection. */
export class Trace {
  readonly #label: string;
  readonly #print: (line: string) => void;
  readonly #colors: Colors;

  constructor(label: string, print: (line: string) => void, colors: Colors = picocolors) {
    this.#label = label.padEnd(5);
    this.#print = print;
    this.#colors = colors;
  }

  /**
   * Returns a stream to use in place of the socket, from the handshake to the end.
   *
   * A "data" listener on the socket itself would start its flow, and the handshake would miss what it
   * showed. This stream wraps the socket, so the handshake can own it and hand it over like any other
   * io.
   */
  tap(socket: Socket): Duplex {
    return new Tap(socket, {
      sent: (bytes) => this.#show(this.#colors.green("→"), bytes),
      received: (bytes) => this.#show(this.#colors.cyan("←"), bytes),
    });
  }

  /** HTTP is over; bytes after its end belong to the new protocol. */
  switched(parts: Parts<unknown>): void {
    const { yellow, bold } = this.#colors;
    const { readBuf } = parts;
    const bytes = readBuf.length === 1 ? "1 byte" : `${readBuf.length} bytes`;
    const held = readBuf.length === 0 ? "readBuf is empty" : `readBuf holds ${bytes}`;
    const line = `switched to ${parts.switched?.protocol ?? "nothing"}; ${held}`;
    this.#print(`${this.#prefix(yellow("⇄"))} ${bold(line)}`);
    if (readBuf.length > 0) this.#lines(escapedLines(readBuf), " ".repeat(this.#indent));
  }

  #show(arrow: string, bytes: Uint8Array): void {
    this.#lines(escapedLines(bytes), `${this.#prefix(arrow)} `);
  }

  #prefix(arrow: string): string {
    return `${this.#colors.dim(this.#label)} ${arrow}`;
  }

  get #indent(): number {
    return this.#label.length + 3;
  }

  #lines(lines: readonly string[], first: string): void {
    const { dim } = this.#colors;
    let prefix = first;
    for (const line of lines.slice(0, MAX_LINES)) {
      this.#print(prefix + cut(line).replace(/\\r\\n$/, (end) => dim(end)));
      prefix = " ".repeat(this.#indent);
    }
    const hidden = lines.length - MAX_LINES;
    if (hidden > 0) this.#print(prefix + dim(`… and ${hidden} more lines`));
  }
}

/** Splits bytes into lines at CRLF, escaped to printable ASCII. */
export function escapedLines(bytes: Uint8Array): string[] {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  const lines = text.match(/.*?\r\n|.+$/gs) ?? [];
  return lines.map((line) => line.replace(/[^ -~]|\\/g, escaped));
}

const NAMED = new Map([
  ["\r", "\\r"],
  ["\n", "\\n"],
  ["\t", "\\t"],
  ["\\", "\\\\"],
]);

function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16).padStart(2, "0");
  return NAMED.get(character) ?? `\\x${code}`;
}

function cut(line: string): string {
  if (line.length <= MAX_LINE_LENGTH) return line;
  return `${line.slice(0, MAX_LINE_LENGTH)}… (${line.length} characters)`;
}

interface Watcher {
  sent(bytes: Uint8Array): void;
  received(bytes: Uint8Array): void;
}

/** A Duplex that forwards to the socket and reports what passes. */
class Tap extends Duplex {
  readonly #socket: Socket;
  readonly #watcher: Watcher;
  #ended = false;

  constructor(socket: Socket, watcher: Watcher) {
    super({ decodeStrings: true });
    this.#socket = socket;
    this.#watcher = watcher;
    // Only our owner ends our side.
    socket.allowHalfOpen = true;
    socket.on("data", (bytes: Buffer) => {
      watcher.received(bytes);
      if (!this.push(bytes)) socket.pause();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.push(null);
    });
    socket.on("error", (error) => this.destroy(error));
    // After an orderly end there may still be unread bytes.
    socket.on("close", () => {
      if (!this.#ended) this.destroy();
    });
    socket.pause();
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#watcher.sent(chunk);
    this.#socket.write(chunk, done);
  }

  // Chunks written together are sent and shown together.
  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    done: (error?: Error | null) => void,
  ): void {
    this._write(Buffer.concat(chunks.map(({ chunk }) => chunk)), "latin1", done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }

  /** Like `socket.resetAndDestroy()`: the peer sees a failure, not an end. */
  resetAndDestroy(): void {
    this.#socket.resetAndDestroy();
    this.destroy();
  }
}
