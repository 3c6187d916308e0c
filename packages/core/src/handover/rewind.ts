// parts → [rewind] → the next protocol: the io with readBuf pushed back

import { LocalProtocolError } from "../base/errors.ts";
import { type ByteStream, isByteStream } from "../transports/byte-stream.ts";
import { type ConnLike, isConn } from "../transports/deno-conn.ts";
import { isDuplex } from "../transports/duplex.ts";
import { readableOf } from "../transports/readable.ts";
import { isWebPair, type WebPair } from "../transports/web-pair.ts";
import { type Parts, readBufOf } from "./parts.ts";
import { replayDuplex } from "./replay-duplex.ts";

interface Unshiftable {
  unshift(chunk: Uint8Array): void;
}

/**
 * Returns the io as if it had not been read: `readBuf` comes first.
 *
 * A Duplex is returned itself, with `readBuf` pushed back. If its end was already consumed
 * (`readEnded`), and for any other io, the result is a new object of the same shape that replays
 * `readBuf`, continues with the io, and ends where the io ended. For a socket that object is a Duplex
 * with the socket's own members, such as `setTimeout` and `remoteAddress`; for a Deno.Conn it has
 * `read`, `write`, `closeWrite` and `close`.
 *
 * @throws {LocalProtocolError} `INVALID_IO`: an io of none of these shapes, or no `readBuf`.
 */
export function rewind<IO>(parts: Parts<IO>): IO {
  const readBuf = readBufOf(parts);
  const { io, readEnded } = parts;
  if (isDuplex(io)) {
    // A socket reads ahead: its "end" may have fired since the hand-over.
    if (readEnded || io.readableEnded) return replayDuplex(io, readBuf) as IO;
    if (readBuf.length > 0) (io as unknown as Unshiftable).unshift(readBuf);
    return io;
  }
  if (readBuf.length === 0 && !readEnded) return io;
  if (isConn(io)) return replayConn(io, readBuf, readEnded) as IO;
  if (isWebPair(io)) return replayPair(io, readBuf, readEnded) as IO;
  if (isByteStream(io)) return replayStream(io, readBuf, readEnded) as IO;
  throw new LocalProtocolError("INVALID_IO", "rewind");
}

function replayStream(io: ByteStream, readBuf: Uint8Array, readEnded: boolean): ByteStream {
  let replayed = readBuf.length === 0;
  let isReplaying = false;
  const give = <T>(value: T): Promise<T> => {
    const given = Promise.resolve(value);
    isReplaying = true;
    // Runs immediately before the caller's own reaction.
    given.then(() => {
      isReplaying = false;
    });
    return given;
  };
  const replay: ByteStream = {
    read() {
      if (replayed) return readEnded ? give(null) : io.read();
      replayed = true;
      return give(readBuf);
    },
    write: (chunks) => io.write(chunks),
    closeWrite: () => io.closeWrite(),
    abort: (reason) => io.abort(reason),
  };
  // A replayed read already has its bytes.
  const cancelRead = (): boolean => !isReplaying && io.cancelRead!();
  return {
    ...replay,
    ...(io.cancelRead !== undefined && { cancelRead }),
    ...(io.gone !== undefined && { gone: io.gone }),
  };
}

function replayConn(io: ConnLike, readBuf: Uint8Array, readEnded: boolean): ConnLike {
  let left = readBuf;
  return {
    async read(buffer) {
      if (left.length === 0) return readEnded ? null : io.read(buffer);
      const given = left.subarray(0, buffer.length);
      buffer.set(given);
      left = left.subarray(given.length);
      return given.length;
    },
    write: (bytes) => io.write(bytes),
    closeWrite: () => io.closeWrite(),
    close: () => io.close(),
  };
}

function replayPair(io: WebPair, readBuf: Uint8Array, readEnded: boolean): WebPair {
  const reader = readEnded ? undefined : io.readable.getReader();
  let replayed = readBuf.length === 0;
  const next = async () => {
    if (replayed) return (await reader?.read()) ?? { done: true };
    replayed = true;
    return { value: readBuf };
  };
  const readable = readableOf(next, (reason) => reader?.cancel(reason));
  return { readable: readable as unknown as WebPair["readable"], writable: io.writable };
}
