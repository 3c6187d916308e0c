// growth: whether the cost per piece is constant. 1 is linear; 2 is twice the cost per piece.
// header: in a head of 1,000 against one of 50. body: in 4 MiB of chunks against 64 KiB.
// dripped: a head of 8 KiB against one of 512 B, byte by byte. connection: the last of 2,000
// connections, one request each, against the first.

import type { Listen, ValueBenchmark } from "../src/benchmark.ts";
import { hold } from "../src/load.ts";
import { HELLO } from "../src/messages.ts";
import { NativeParser, OurParser, type Parser } from "../src/parsers.ts";
import { floor, ours } from "./server.ts";

const REPEATS = 7;
const LIMITS = { maxHeaders: 1_000, maxHeadBytes: 65_536 };

/** Does `size` pieces of work. */
type Work = (parser: Parser, size: number) => void;

/** How much longer `large` pieces take in one message than in many small ones; the best of several runs. */
function growth(work: Work, small: number, large: number, parser: () => Parser): () => number {
  const messages = (count: number, size: number): number => {
    const one = parser();
    const start = performance.now();
    for (let i = 0; i < count; i++) work(one, size);
    return performance.now() - start;
  };
  return () => {
    let few = Infinity;
    let many = Infinity;
    for (let i = 0; i < REPEATS; i++) {
      few = Math.min(few, messages(large / small, small));
      many = Math.min(many, messages(1, large));
    }
    return many / few;
  };
}

const HEAD = "POST / HTTP/1.1\r\nHost: a.test\r\n";
const CHUNK = Buffer.from(`400\r\n${"x".repeat(1_024)}\r\n`);

const headers: Work = (parser, size) => {
  parser.take(Buffer.from(`${HEAD}${"a-b: c\r\n".repeat(size - 1)}\r\n`));
  parser.reset();
};

const body: Work = (parser, kibibytes) => {
  parser.take(Buffer.from(`${HEAD}Transfer-Encoding: chunked\r\n\r\n`));
  for (let i = 0; i < kibibytes; i++) parser.take(CHUNK);
  parser.take(Buffer.from("0\r\n\r\n"));
  parser.reset();
};

const dripped: Work = (parser, size) => {
  const head = Buffer.from(`${HEAD}a: ${"x".repeat(size - HEAD.length - 7)}\r\n\r\n`);
  for (let i = 0; i < head.length; i++) parser.take(head.subarray(i, i + 1));
  parser.reset();
};

function compare(name: string, work: Work, small: number, large: number): ValueBenchmark {
  return {
    ...common,
    name: `growth/${name}`,
    contestants: {
      ours: growth(work, small, large, () => new OurParser(LIMITS)),
      native: growth(work, small, large, () => new NativeParser()),
    },
  };
}

/** Client and server in one process; both keep every connection. */
function lastAgainstFirst(listen: Listen): () => Promise<number> {
  return async () => {
    const port = await listen();
    const opening = async (connections: number): Promise<number> => {
      const start = performance.now();
      await hold(port, connections, [HELLO]);
      return performance.now() - start;
    };
    await opening(500);
    const first = await opening(500);
    await opening(500);
    return (await opening(500)) / first;
  };
}

const common = { kind: "value", unit: "×", higherIsBetter: false } as const;

export const benchmarks: ValueBenchmark[] = [
  compare("header", headers, 50, 1_000),
  compare("body", body, 64, 4_096),
  compare("dripped", dripped, 512, 8_192),
  {
    ...common,
    name: "growth/connection",
    contestants: { ours: lastAgainstFirst(ours), floor: lastAgainstFirst(floor) },
  },
];
