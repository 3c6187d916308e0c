// parts → [replay Duplex] → the next protocol: another Duplex for one whose end has been read

import { LocalProtocolError } from "../base/errors.ts";
import type { DuplexLike } from "../transports/duplex.ts";

// The parts of Node's Duplex that we use to create another one.
interface MadeDuplex {
  readonly writableFinished: boolean;
  push(chunk: Uint8Array | null): boolean;
  destroy(error?: unknown): void;
  emit(event: string): void;
}
type DuplexConstructor = new (options: object) => MadeDuplex;

/**
 * After "end", nothing can be pushed back. So another Duplex reads `readBuf` and ends; it writes to
 * the io, and has the io's other members, such as those of a socket.
 *
 * @throws {LocalProtocolError} `INVALID_IO`: the io is no Duplex of Node.
 */
export function replayDuplex(io: DuplexLike, readBuf: Uint8Array): object {
  const { Duplex, names } = kindOf(io);
  const replay = new Duplex({
    allowHalfOpen: io.allowHalfOpen,
    read() {
      replay.push(readBuf);
      replay.push(null);
    },
    write(chunk: Uint8Array, _: string, callback: (error?: unknown) => void) {
      io.write(chunk, callback);
    },
    final(callback: () => void) {
      io.end(callback);
    },
    destroy(error: unknown, callback: (error: unknown) => void) {
      io.destroy(error);
      callback(error);
    },
  });
  const fail = (error?: unknown): void => replay.destroy(error);
  io.on("error", fail);
  // If both sides have ended, the reader may still read what is left.
  io.on("close", () => {
    if (!replay.writableFinished) fail();
  });
  io.on("timeout", () => replay.emit("timeout"));
  for (const name of names) if (!(name in replay)) lend(name, io as object, replay);
  return replay;
}

/** Node's Duplex, taken from the io since core does not import Node, and what the io has beyond it. */
function kindOf(io: object): { Duplex: DuplexConstructor; names: Set<string> } {
  const names = new Set<string>();
  for (let at: object | null = io; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const isPrototype = Object.hasOwn(at, "constructor");
    if (isPrototype && at.constructor?.name === "Duplex") {
      return { Duplex: at.constructor as DuplexConstructor, names };
    }
    for (const name of Object.getOwnPropertyNames(at)) if (!name.startsWith("_")) names.add(name);
  }
  throw new LocalProtocolError("INVALID_IO", "a stream that is not a Duplex cannot be rewound");
}

type Members = { [name: string]: unknown };

/** The member stays the io's: a socket's address, timeout or TLS. */
function lend(name: string, from: object, to: object): void {
  const io = from as Members;
  // It ends the stream that it is called on, after what that has still to write.
  const owner = name === "destroySoon" ? to : io;
  const call = (method: (...given: unknown[]) => unknown, given: unknown[]): unknown => {
    const result = method.apply(owner, given);
    return result === io ? to : result;
  };
  Object.defineProperty(to, name, {
    configurable: true,
    get() {
      const value = io[name];
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => call(value as (...given: unknown[]) => unknown, given);
    },
    set(value: unknown) {
      io[name] = value;
    },
  });
}
