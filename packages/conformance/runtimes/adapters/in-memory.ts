// Transports without a socket, for every runtime.

import { type Io, memoryPair, type PortLike, portStream } from "@upgrade/core/io";
import type { Transport } from "../suite/case.ts";
import { openedPair } from "../suite/run.ts";

/** A transport whose two ends are made together. A peer sees an abort as a failure. */
function inMemory(name: string, makePair: () => readonly [Io, Io]): Transport {
  const facts = { abort: "failure" } as const;
  return {
    name,
    facts,
    open: async (played) => openedPair(played, facts, ...makePair()),
  };
}

export const memory = inMemory("`memoryPair()`", memoryPair);

/** One direction, with room for as much as a small socket buffer. */
const lane = () =>
  new TransformStream<Uint8Array, Uint8Array>({}, undefined, {
    highWaterMark: 65_536,
    size: (chunk) => chunk?.byteLength ?? 0,
  });

export const transformStreams = inMemory("`TransformStream`s", () => {
  const [there, back] = [lane(), lane()];
  return [
    { readable: back.readable, writable: there.writable },
    { readable: there.readable, writable: back.writable },
  ] as unknown as readonly [Io, Io];
});

export const messagePorts = inMemory("`portStream()`", () => {
  const { port1, port2 } = new MessageChannel();
  return [portStream(port1 as PortLike), portStream(port2 as PortLike)];
});
