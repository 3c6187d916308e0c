import { duplexStream, memoryPair, portStream } from "@upgrade/core/io";
import { type ByteStream, type MakePair, transportSuite } from "@upgrade/core/testing";
import { afterEach, describe, expect, test } from "vitest";
import { ConnStream } from "../../../core/src/transports/deno-conn.ts";
import { WebPairStream } from "../../../core/src/transports/web-pair.ts";
import { connPair } from "../../src/pairs/deno-conn.ts";
import { destroyPairs, duplexPair, tcpPair, webPair } from "../../src/pairs/pairs.ts";
import { bareStream } from "../../src/streams/bare-stream.ts";
import { socketStream } from "../../src/streams/socket-stream.ts";
import { watchUnhandled } from "../../src/turns.ts";

afterEach(destroyPairs);

const STREAMS: Record<string, MakePair> = {
  "the memory pair": () => memoryPair(),
  "the memory pair, with room for one byte": () => memoryPair(1),
  "the WHATWG adapter": () => {
    const [a, b] = webPair();
    return [new WebPairStream(a as never), new WebPairStream(b as never)];
  },
  "the adapter of a Duplex, over TCP": async () => {
    const [a, b] = await tcpPair({ allowHalfOpen: true });
    return [duplexStream(a), duplexStream(b)];
  },
  "the adapter of a Duplex, in memory": () => {
    const [a, b] = duplexPair();
    return [duplexStream(a), duplexStream(b)];
  },
  "the adapter of a MessagePort": () => {
    const { port1, port2 } = new MessageChannel();
    return [portStream(port1), portStream(port2)];
  },
  "the adapter of a MessagePort, with little room, and less": () => {
    const { port1, port2 } = new MessageChannel();
    return [
      portStream(port1, { highWaterBytes: 1_000 }),
      portStream(port2, { highWaterBytes: 700 }),
    ];
  },
  "a user's socket": async () => {
    const [a, b] = await tcpPair({ allowHalfOpen: true });
    return [socketStream(a), socketStream(b)];
  },
};

describe.each(Object.entries(STREAMS))("%s", (_, makePair) => {
  test.each(transportSuite(makePair))("$name", async ({ run }) => {
    const unhandled = watchUnhandled();
    await run();
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });
});

// Deno cannot send a reset: the peer of an aborted connection reads an end.
const BEYOND_DENO = "the peer sees an abort as a failure";

describe("the adapter of a Deno.Conn", () => {
  const cases = transportSuite(async () => {
    const [a, b] = await connPair();
    return [new ConnStream(a), new ConnStream(b)];
  });
  test.each(cases.filter(({ name }) => name !== BEYOND_DENO))("$name", async ({ run }) => {
    const unhandled = watchUnhandled();
    await run();
    expect(await unhandled.settled()).toEqual([]);
    unhandled.stop();
  });

  test("an abort reaches the peer as an end", async () => {
    const [a, b] = await connPair();
    const read = new ConnStream(b).read();
    new ConnStream(a).abort();
    expect(await read).toBe(null);
  });
});

// The suite must find what it is for: each of these streams breaks one promise.
const BROKEN: [string, (stream: ByteStream) => Partial<ByteStream>, string][] = [
  [
    "swaps two chunks",
    (stream) => ({ write: (chunks) => stream.write([...chunks].reverse()) }),
    "the chunks of one write arrive in order",
  ],
  [
    "loses the tail of a big write",
    (stream) => ({ write: ([chunk]) => stream.write([chunk!.subarray(0, 1_000_000)]) }),
    "one big write arrives whole",
  ],
  [
    "reads empty chunks",
    (stream) => {
      let turn = 0;
      return { read: () => (turn++ % 2 ? stream.read() : Promise.resolve(new Uint8Array(0))) };
    },
    "an empty chunk is never read",
  ],
  [
    "never waits for a reader",
    (stream) => ({
      async write(chunks) {
        void stream.write(chunks).catch(() => {});
      },
    }),
    "a write waits until the peer reads",
  ],
  [
    "ends both sides at once",
    (stream) => ({
      async closeWrite() {
        stream.abort("closed");
      },
    }),
    "one side ends, the other continues",
  ],
  [
    "reads the end once",
    (stream) => {
      let ended = false;
      return {
        async read() {
          if (ended) throw new Error("read after the end");
          const chunk = await stream.read();
          ended = chunk === null;
          return chunk;
        },
      };
    },
    "every read after the end resolves to null",
  ],
  [
    "ends cleanly instead of failing",
    (stream) => ({ abort: () => void stream.closeWrite() }),
    "the peer sees an abort as a failure",
  ],
  [
    "leaves a read pending",
    (stream) => ({ read: () => stream.read().catch(() => new Promise<never>(() => {})) }),
    "an abort settles pending calls",
  ],
  [
    "claims to have withdrawn a read, but has not",
    () => ({ cancelRead: () => true }),
    "a canceled read loses nothing",
  ],
];

test.each(BROKEN)("the suite detects a stream that %s", async (_, broken, name) => {
  const make: MakePair = () => {
    const [a, b] = memoryPair();
    return [wrapped(a, broken), wrapped(b, broken)];
  };
  const found = transportSuite(make, { timeoutMs: 250 }).find((one) => one.name === name);
  await expect(found!.run()).rejects.toThrow();
});

function wrapped(
  stream: ByteStream,
  broken: (stream: ByteStream) => Partial<ByteStream>,
): ByteStream {
  return {
    ...bareStream(stream),
    cancelRead: () => stream.cancelRead?.() ?? false,
    ...broken(stream),
  };
}
