import type { Duplex } from "node:stream";
import { type ByteStream, handled, type Io, isByteStream, type WebPair } from "@upgrade/core/io";
import { resetStream } from "./pairs/pairs.ts";

/** How a peer moves bytes, independent of the code under test. */
interface Wire {
  write(bytes: Uint8Array): Promise<void>;
  end(): Promise<void>;
  reset(): void;
}

interface Sink {
  bytes(bytes: Uint8Array): void;
  end(): void;
  fail(reason: unknown): void;
}

/**
 * A peer that sends exactly what it is given, and records exactly what it reads. Text is latin-1: one
 * character per octet. It reads continuously unless it is lazy.
 */
export class ScriptedPeer {
  /** The received chunks. */
  readonly chunks: Uint8Array[] = [];
  /** The other end has ended its side. */
  ended = false;
  /** Why the transport failed, if it did. */
  failure: unknown;
  #read = "";
  #wire: Wire;
  #waiting: (() => void)[] = [];

  constructor(io: Io) {
    const sink: Sink = {
      bytes: (bytes) => {
        this.chunks.push(bytes);
        this.#read += Buffer.from(bytes).toString("latin1");
        this.#wake();
      },
      end: () => {
        this.ended = true;
        this.#wake();
      },
      fail: (reason) => {
        this.failure ??= reason ?? new Error("closed");
        this.#wake();
      },
    };
    if (isNodeDuplex(io)) this.#wire = duplexWire(io, sink);
    else if (isByteStream(io)) this.#wire = streamWire(io, sink);
    else this.#wire = webWire(io as WebPair, sink);
  }

  /** Received bytes not read yet. */
  get unread(): string {
    return this.#read;
  }

  /** Rejects if the io ends before it has accepted the bytes; not every test awaits it. */
  send(bytes: string | Uint8Array): Promise<void> {
    const octets = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
    return handled(this.#wire.write(octets));
  }

  /** Ends its side: FIN. */
  end(): Promise<void> {
    return this.#wire.end();
  }

  /** Aborts: RST. */
  reset(): void {
    this.#wire.reset();
  }

  /** The next `length` octets. */
  async read(length: number): Promise<string> {
    await this.#until(() => this.#read.length >= length, `${length} octets`);
    return this.#take(length);
  }

  /** Everything up to and including `mark`. */
  async readUntil(mark: string): Promise<string> {
    await this.#until(() => this.#read.includes(mark), JSON.stringify(mark));
    return this.#take(this.#read.indexOf(mark) + mark.length);
  }

  readHead(): Promise<string> {
    return this.readUntil("\r\n\r\n");
  }

  /** Everything before the end of file. */
  async readToEnd(): Promise<string> {
    await this.#until(() => this.ended, "the end");
    return this.#take(this.#read.length);
  }

  /** Everything before the end of file or the failure. */
  async readToLast(): Promise<string> {
    while (!this.ended && this.failure === undefined) await this.#next();
    return this.#take(this.#read.length);
  }

  /** Resolves with the failure of the transport. */
  async failed(): Promise<unknown> {
    while (this.failure === undefined) await this.#next();
    return this.failure;
  }

  #take(length: number): string {
    const taken = this.#read.slice(0, length);
    this.#read = this.#read.slice(length);
    return taken;
  }

  async #until(met: () => boolean, wanted: string): Promise<void> {
    while (!met()) {
      if (this.ended || this.failure !== undefined) {
        const how = this.failure === undefined ? "ended" : `failed: ${String(this.failure)}`;
        throw new Error(
          `the peer expected ${wanted}, got ${JSON.stringify(this.#read)}, and ${how}`,
        );
      }
      await this.#next();
    }
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}

export function isNodeDuplex(io: unknown): io is Duplex {
  return typeof (io as { pipe?: unknown } | null)?.pipe === "function";
}

function duplexWire(io: Duplex, sink: Sink): Wire {
  // It ends its side only when asked to, not when its peer ends.
  io.allowHalfOpen = true;
  io.on("data", (bytes: Uint8Array) => sink.bytes(bytes));
  io.on("end", () => sink.end());
  io.on("error", (error) => sink.fail(error));
  io.on("close", () => {
    if (!io.readableEnded) sink.fail(undefined);
  });
  return {
    write: (bytes) =>
      new Promise((resolve, reject) => {
        io.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    end: () => new Promise((resolve) => void io.end(() => resolve())),
    reset: () => resetStream(io),
  };
}

function streamWire(io: ByteStream, sink: Sink): Wire {
  void (async () => {
    for (;;) {
      const chunk = await io.read();
      if (chunk === null) break;
      sink.bytes(chunk);
    }
    sink.end();
  })().catch(sink.fail);
  return {
    write: (bytes) => io.write([bytes]),
    end: () => io.closeWrite(),
    reset: () => io.abort(new Error("reset")),
  };
}

function webWire(io: WebPair, sink: Sink): Wire {
  const reader = io.readable.getReader();
  const writer = io.writable.getWriter();
  reader.closed.catch(sink.fail);
  writer.closed.catch(sink.fail);
  void (async () => {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) break;
      sink.bytes(value!);
    }
    sink.end();
  })().catch(sink.fail);
  return {
    write: async (bytes) => void (await writer.write(bytes)),
    end: async () => void (await writer.close()),
    reset: () => {
      reader.cancel(new Error("reset")).catch(() => {});
      writer.abort(new Error("reset")).catch(() => {});
    },
  };
}
