// application → [transport suite] → byte stream: what the driver relies on, as cases for any test runner

import type { ByteStream } from "../io/byte-stream.ts";
import { checkOptions, DURATION, type Kinds } from "../options.ts";
import type { Case } from "./suite-case.ts";
import { ENDS } from "./suite-ends.ts";
import { FLOW } from "./suite-flow.ts";
import { within } from "./turns.ts";

/** Two connected byte streams, for a case of their own: what one writes the other reads. */
export type MakePair = () => Pair | Promise<Pair>;
export type Pair = readonly [ByteStream, ByteStream];

/** One promise of a byte stream, to be run under any test runner. */
export interface TransportCase {
  readonly name: string;
  /** Rejects, saying what went wrong, if the promise is not kept. */
  run(): Promise<void>;
}

export interface TransportSuiteOptions {
  /** How long a case may take, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number | undefined;
}

const SUITE_OPTIONS: Kinds<TransportSuiteOptions> = { timeoutMs: DURATION };

/**
 * All that a connection relies on in a {@link ByteStream}, as cases that throw.
 *
 * @param makePair Connects two streams anew, once for each case. Both are aborted at its end.
 *
 * @example
 * for (const { name, run } of transportSuite(() => connectedPair())) test(name, run);
 */
export function transportSuite(
  makePair: MakePair,
  options: TransportSuiteOptions = {},
): TransportCase[] {
  checkOptions(options, SUITE_OPTIONS);
  const { timeoutMs = 5_000 } = options;
  return Object.entries({ ...FLOW, ...ENDS }).map(([name, play]) => ({
    name,
    run: () => within(timeoutMs, name, runCase(makePair, play)),
  }));
}

async function runCase(makePair: MakePair, play: Case): Promise<void> {
  const [a, b] = await makePair();
  // One way and then the other: a transport need not be the same at both ends.
  try {
    await play(a, b);
  } finally {
    a.abort("the case is over");
    b.abort("the case is over");
  }
  const [c, d] = await makePair();
  try {
    await play(d, c);
  } finally {
    c.abort("the case is over");
    d.abort("the case is over");
  }
}
