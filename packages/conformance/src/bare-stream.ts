import type { ByteStream } from "@upgrade/core/io";

/** `stream` by the four methods every ByteStream has: it withdraws no read and tells of no end. */
export function bareStream(stream: ByteStream): ByteStream {
  return {
    read: () => stream.read(),
    write: (chunks) => stream.write(chunks),
    closeWrite: () => stream.closeWrite(),
    abort: (reason) => stream.abort(reason),
  };
}
