import { once } from "node:events";
import type net from "node:net";
import type { WebEnd } from "./pairs.ts";
import { tcpPair } from "./pairs.ts";

/**
 * A workerd socket emulated over a Node socket. Measured on workerd: a reader with a pending read does
 * not release its lock; canceling or aborting a stream reaches the peer only after the handler has
 * returned, whatever is called after that; closing the writable ends our side at once, and `close()`
 * ends both.
 */
export class StandInSocket {
  readonly readable: WebEnd["readable"];
  readonly writable: WebEnd["writable"];
  /** The calls that ended the socket or its streams. */
  readonly ends: string[] = [];
  readonly #socket: net.Socket;
  #failReads: (reason: Error) => void = () => {};

  constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("error", () => {});
    this.readable = this.#readable();
    this.writable = this.#writable();
  }

  /** Part of how such a socket is recognized. */
  startTls(): never {
    throw new Error("no TLS here");
  }

  async close(): Promise<void> {
    this.ends.push("close");
    if (this.ends.includes("cancel") || this.ends.includes("abort")) return;
    this.#failReads(new Error("This socket has been closed."));
    this.#socket.end();
  }

  #readable(): WebEnd["readable"] {
    const { ends } = this;
    const socket = this.#socket;
    const iterator = socket.iterator({ destroyOnReturn: false });
    const stream = new ReadableStream<Uint8Array>(
      {
        start: (controller) => {
          this.#failReads = (reason) => controller.error(reason);
        },
        async pull(controller) {
          const { done, value } = (await iterator.next()) as IteratorResult<Uint8Array>;
          if (done) controller.close();
          else controller.enqueue(new Uint8Array(value));
        },
        cancel: () => void ends.push("cancel"),
      },
      { highWaterMark: 0 },
    );
    return keepingReads(stream);
  }

  #writable(): WebEnd["writable"] {
    const socket = this.#socket;
    return new WritableStream<Uint8Array>({
      write: (chunk) =>
        new Promise((resolve, reject) => {
          socket.write(chunk, (error) => (error ? reject(error) : resolve()));
        }),
      close: async () => {
        this.ends.push("writer.close");
        const finished = once(socket, "finish");
        socket.end();
        await finished;
      },
      abort: () => void this.ends.push("abort"),
    });
  }
}

// releaseLock() throws while a read is pending.
function keepingReads(stream: WebEnd["readable"]): WebEnd["readable"] {
  const getReader = stream.getReader.bind(stream) as () => ReadableStreamDefaultReader<Uint8Array>;
  const patched = (): ReadableStreamDefaultReader<Uint8Array> => {
    const reader = getReader();
    let pending = 0;
    const read = reader.read.bind(reader);
    const releaseLock = reader.releaseLock.bind(reader);
    reader.read = () => {
      pending++;
      return read().finally(() => pending--);
    };
    reader.releaseLock = () => {
      if (pending > 0) {
        throw new TypeError(
          "Cannot call releaseLock() on a reader with outstanding read promises.",
        );
      }
      releaseLock();
    };
    return reader;
  };
  return Object.defineProperty(stream, "getReader", { value: patched });
}

/** Such a socket, and the one at its far end. */
export async function workerSocket(): Promise<[StandInSocket, net.Socket]> {
  const [near, far] = await tcpPair({ allowHalfOpen: true });
  return [new StandInSocket(near), far];
}
