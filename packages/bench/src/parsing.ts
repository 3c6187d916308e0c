// What parse-head and parse-upgrade measure: from bytes to the head and its end, and reading its
// fields. Not timed: the response that allows the next message, which is not a parser's work.

import type { LocalBenchmark, Shoot } from "./benchmark.ts";
import { refuse } from "./messages.ts";
import { NativeParser, OurParser, type Parser } from "./parsers.ts";
import { UndiciStyleParser } from "./undici-style.ts";

/** How many connections parse a message each between two clock reads. */
const BATCH = 64;

/** Reads part of a head and returns the number of characters. */
type Read = (parser: Parser) => number;

export function readTwo(first: string, second: string): Read {
  return (parser) => parser.read(first)!.length + parser.read(second)!.length;
}

export const readAll: Read = (parser) => parser.all().length;

/** `characters` is the expected result of reading. */
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
