import type { ByteStream } from "@upgrade/core/io";

/** `stream` with only the four required methods of a ByteStream, without `cancelRead` and `gone`. */
export function bareStream(stream: ByteStream): ByteStream {
  return {
    read: () => stream.read(),
    write: (chunks) => stream.write(chunks),
    closeWrite: () => stream.closeWrite(),
    abort: (reason) => stream.abort(reason),
  };
}
