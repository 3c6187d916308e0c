// web-streams: a server over a WHATWG pair, in one process, one request after another.
// The floor is a hand-written loop over the same pair: one read, one write of fixed bytes.

import { TransformStream } from "node:stream/web";
import { handshake } from "@upgrade/server";
import { during, type LocalBenchmark, type Shoot } from "../src/benchmark.ts";
import { HELLO, HELLO_ANSWER, refuse, sayHello } from "../src/messages.ts";

type Stream = TransformStream<Uint8Array, Uint8Array>;
type Pair = Pick<Stream, "readable" | "writable">;

async function ours(pair: Pair): Promise<void> {
  await handshake(pair, sayHello);
}

async function floor({ readable, writable }: Pair): Promise<void> {
  const service = async (): Promise<Uint8Array> => Buffer.from(HELLO_ANSWER, "latin1");
  const reader = readable.getReader();
  const writer = writable.getWriter();
  while (!(await reader.read()).done) await writer.write(await service());
}

function asking(serve: (pair: Pair) => Promise<void>): () => Shoot {
  return () => {
    const up: Stream = new TransformStream();
    const down: Stream = new TransformStream();
    void serve({ readable: up.readable, writable: down.writable });
    const writer = up.writable.getWriter();
    const reader = down.readable.getReader();
    return (ms) =>
      during(ms, async () => {
        void writer.write(Buffer.from(HELLO.request));
        const { value } = await reader.read();
        const right = value?.length === HELLO_ANSWER.length;
        refuse(right ? undefined : HELLO.fault(Buffer.from(value ?? [])));
      });
  };
}

export const benchmarks: LocalBenchmark[] = [
  {
    name: "web-streams",
    kind: "local",
    unit: "requests/s",
    higherIsBetter: true,
    contestants: { ours: asking(ours), floor: asking(floor) },
  },
];
