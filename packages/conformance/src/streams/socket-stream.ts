import type net from "node:net";
import type { ByteStream } from "@upgrade/core/io";

/** A socket as a ByteStream, as a user might write it, without our transport. */
export function socketStream(socket: net.Socket): ByteStream {
  const iterator = socket.iterator({ destroyOnReturn: false });
  let failure: unknown;
  const gone = new Promise<unknown>((resolve) => {
    socket.on("error", (error) => {
      failure ??= error;
      resolve(error);
    });
    socket.on("close", () => resolve(failure ?? new Error("closed")));
  });
  return {
    gone,
    async read() {
      if (failure !== undefined) throw failure;
      const { done, value } = (await iterator.next()) as IteratorResult<Uint8Array>;
      if (failure !== undefined) throw failure;
      return done ? null : value;
    },
    write: (chunks) =>
      new Promise((resolve, reject) => {
        const bytes = Buffer.concat(chunks);
        socket.write(bytes, (error) => (error ? reject(error) : resolve()));
      }),
    closeWrite: () =>
      new Promise((resolve, reject) => {
        // end() never calls back on a destroyed socket.
        if (socket.destroyed) reject(failure);
        else socket.end((error?: Error) => (error ? reject(error) : resolve()));
      }),
    abort(reason) {
      if (socket.destroyed) return;
      failure ??= reason;
      socket.resetAndDestroy();
    },
  };
}
