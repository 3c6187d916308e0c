// What parse-head and parse-upgrade time: bytes in, the head and its end out, and what is read of it.
// Not timed: the answer that makes room for the next message. It is a server's work, not a parser's.

import type { LocalBenchmark, Shoot } from "./benchmark.ts";
import { refuse } from "./messages.ts";
import { NativeParser, OurParser, type Parser } from "./parsers.ts";
import { UndiciStyleParser } from "./undici-style.ts";

/** So many connections take a message each between two looks at the clock. */
const BATCH = 64;

/** Reads something of a head and tells how many characters that were. */
type Read = (parser: Parser) => number;

export function readTwo(first: string, second: string): Read {
  return (parser) => parser.read(first)!.length + parser.read(second)!.length;
}

export const readAll: Read = (parser) => parser.all().length;

/** `characters` is what reading must give. */
export function parsing(
  name: string,
  head: string,
  read: Read,
  characters: number,
): LocalBenchmark {
  const bytes = Buffer.from(head, "latin1");
  const shooting = (make: () => Parser) => (): Shoot => {
    const parsers = Array.from({ length: BATCH }, make);
    return (ms) => {
      let count = 0;
      let spent = 0;
      while (spent < ms) {
        const start = performance.now();
        let sum = 0;
        for (const parser of parsers) {
          parser.take(bytes);
          sum += read(parser);
        }
        spent += performance.now() - start;
        count += BATCH;
        refuse(
          sum === characters * BATCH ? undefined : `it read ${sum / BATCH}, not ${characters}`,
        );
        for (const parser of parsers) parser.reset();
      }
      return { count, ms: spent };
    };
  };
  return {
    name,
    kind: "local",
    unit: "heads/s",
    higherIsBetter: true,
    contestants: {
      ours: shooting(() => new OurParser()),
      native: shooting(() => new NativeParser()),
      "undici-style": shooting(() => new UndiciStyleParser()),
    },
  };
}
