// Bytes by hand, on any io: the next protocol after a switch, or a peer that is not ours.

import { type ByteStream, duplexStream, type Io, isByteStream } from "@upgrade/core/io";

const NOTHING = new Uint8Array(0);

export const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOfBytes = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** Reads and writes an io that no connection uses. */
export class Wire {
  readonly #stream: Pick<ByteStream, "read" | "write" | "closeWrite" | "abort">;
  #unread: Uint8Array;

  /** @param unread What was read before, and comes first. */
  constructor(io: Io, unread: Uint8Array = NOTHING) {
    this.#stream = streamOf(io);
    this.#unread = unread;
  }

  async write(...pieces: (string | Uint8Array)[]): Promise<void> {
    await this.#stream.write(pieces.map((one) => (typeof one === "string" ? utf8(one) : one)));
  }

  end(): Promise<void> {
    return this.#stream.closeWrite();
  }

  /** Writes and ends our side, while it reads to the other end's end: neither waits for the other. */
  async exchange(text: string): Promise<string> {
    const writing = this.write(text).then(() => this.end());
    const [received] = await Promise.all([this.takeToEnd(), writing]);
    return received;
  }

  abort(): void {
    this.#stream.abort(new Error("aborted by hand"));
  }

  /** The next piece, of any length; null at the end. */
  async read(): Promise<Uint8Array | null> {
    if (this.#unread.length === 0) return this.#stream.read();
    const piece = this.#unread;
    this.#unread = NOTHING;
    return piece;
  }

  /** Exactly so many bytes. */
  async take(length: number): Promise<Uint8Array> {
    while (this.#unread.length < length) await this.#readMore();
    const taken = this.#unread.subarray(0, length);
    this.#unread = this.#unread.subarray(length);
    return taken;
  }

  async takeText(length: number): Promise<string> {
    return textOfBytes(await this.take(length));
  }

  /** A head, with its empty line. */
  async takeHead(): Promise<string> {
    for (;;) {
      const end = textOfBytes(this.#unread).indexOf("\r\n\r\n");
      if (end >= 0) return this.takeText(end + 4);
      await this.#readMore();
    }
  }

  async takeLine(): Promise<string> {
    while (!this.#unread.includes(0x0a)) await this.#readMore();
    return this.takeText(this.#unread.indexOf(0x0a) + 1);
  }

  async takeToEnd(): Promise<string> {
    let text = "";
    const decoder = new TextDecoder();
    for (let piece = await this.read(); piece !== null; piece = await this.read()) {
      text += decoder.decode(piece, { stream: true });
    }
    return text;
  }

  async #readMore(): Promise<void> {
    const more = await this.#stream.read();
    if (more === null) throw new Error(`ended after ${JSON.stringify(textOfBytes(this.#unread))}`);
    const all = new Uint8Array(this.#unread.length + more.length);
    all.set(this.#unread);
    all.set(more, this.#unread.length);
    this.#unread = all;
  }
}

interface Conn {
  read(buffer: Uint8Array): Promise<number | null>;
  write(bytes: Uint8Array): Promise<number>;
  closeWrite(): Promise<void>;
  close(): void;
}

interface WebPair {
  readonly readable: ReadableStream<Uint8Array>;
  readonly writable: WritableStream<Uint8Array>;
  /** On workerd. */
  close?(): Promise<void>;
}

function streamOf(io: Io): Pick<ByteStream, "read" | "write" | "closeWrite" | "abort"> {
  if ("pipe" in io) return duplexStream(io as Parameters<typeof duplexStream>[0]);
  if (isByteStream(io)) return io;
  if ("readable" in io && !("closeWrite" in io)) return webStream(io as unknown as WebPair);
  return connStream(io as unknown as Conn);
}

function webStream(io: WebPair): Pick<ByteStream, "read" | "write" | "closeWrite" | "abort"> {
  const reader = io.readable.getReader();
  const writer = io.writable.getWriter();
  reader.closed.catch(() => {});
  writer.closed.catch(() => {});
  return {
    read: async () => (await reader.read()).value ?? null,
    write: async (chunks) => {
      for (const chunk of chunks) await writer.write(chunk);
    },
    closeWrite: () => writer.close(),
    abort(reason) {
      if (io.close !== undefined) {
        io.close().catch(() => {});
        return;
      }
      reader.cancel(reason).catch(() => {});
      writer.abort(reason).catch(() => {});
    },
  };
}

function connStream(io: Conn): Pick<ByteStream, "read" | "write" | "closeWrite" | "abort"> {
  return {
    async read() {
      const buffer = new Uint8Array(65_536);
      const count = await io.read(buffer);
      return count === null ? null : buffer.subarray(0, count);
    },
    async write(chunks) {
      for (const chunk of chunks) {
        for (let at = 0; at < chunk.length; ) at += await io.write(chunk.subarray(at));
      }
    },
    closeWrite: () => io.closeWrite(),
    abort: () => io.close(),
  };
}
