import type net from "node:net";
import type { ConnLike } from "@upgrade/core/io";
import { socketStream } from "../streams/socket-stream.ts";
import { tcpPair } from "./pairs.ts";

/** The maximum of a partial write, below what a test writes, as on Deno. */
const WRITE_BYTES = 50_000;

/**
 * A socket with the documented behavior of a Deno.Conn: reads fill the caller's buffer, writes may be
 * partial, `closeWrite()` ends one side, and `close()` both, without a reset; after that, pending calls
 * are interrupted and a second `close()` throws.
 */
export class StandInConn implements ConnLike {
  /** Calls of {@link close}. */
  closes = 0;
  readonly #socket: net.Socket;
  readonly #stream: ReturnType<typeof socketStream>;
  readonly #interrupted: Promise<never>;
  #interrupt!: (reason: Error) => void;
  #rest: Uint8Array = new Uint8Array(0);

  constructor(socket: net.Socket) {
    this.#socket = socket;
    this.#stream = socketStream(socket);
    this.#interrupted = new Promise((_, reject) => {
      this.#interrupt = reject;
    });
    this.#interrupted.catch(() => {});
  }

  /** Must not be used: Deno creates them on access. */
  get readable(): never {
    throw new Error("the streams of a connection were accessed");
  }
  get writable(): never {
    return this.readable;
  }

  async read(buffer: Uint8Array): Promise<number | null> {
    if (this.#rest.length === 0) {
      const chunk = await this.#unlessClosed(this.#stream.read());
      if (chunk === null) return null;
      this.#rest = chunk;
    }
    const given = this.#rest.subarray(0, buffer.length);
    buffer.set(given);
    this.#rest = this.#rest.subarray(given.length);
    return given.length;
  }

  async write(bytes: Uint8Array): Promise<number> {
    const some = bytes.slice(0, WRITE_BYTES);
    await this.#unlessClosed(this.#stream.write([some]));
    return some.length;
  }

  closeWrite(): Promise<void> {
    return this.#unlessClosed(this.#stream.closeWrite());
  }

  close(): void {
    if (this.closes++ > 0) throw new Error("BadResource");
    this.#interrupt(new Error("Interrupted: operation canceled"));
    this.#socket.end();
    this.#socket.destroySoon();
  }

  #unlessClosed<T>(call: Promise<T>): Promise<T> {
    call.catch(() => {});
    return Promise.race([this.#interrupted, call]);
  }
}

/** Two joined by a socket on loopback. */
export async function connPair(): Promise<[StandInConn, StandInConn]> {
  const [a, b] = await tcpPair({ allowHalfOpen: true });
  return [new StandInConn(a), new StandInConn(b)];
}
