// application → [transport suite] → byte stream: what a driver relies on, as cases for any test runner

import { checkOptions, DURATION, type Kinds } from "../base/options.ts";
import type { ByteStream } from "../transports/byte-stream.ts";
import type { Case } from "./suite-case.ts";
import { ENDS } from "./suite-ends.ts";
import { FLOW } from "./suite-flow.ts";
import { within } from "./turns.ts";

/** Makes two connected byte streams for one case: what one writes, the other reads. */
export type MakePair = () => Pair | Promise<Pair>;
export type Pair = readonly [ByteStream, ByteStream];

/** One requirement of a byte stream, to run under any test runner. */
export interface TransportCase {
  readonly name: string;
  /** Rejects with what went wrong, if the requirement is not met. */
  run(): Promise<void>;
}

/** What the transport under test can do. */
export interface TransportSuiteOptions {
  /** How long a case may take, in milliseconds. Default 5,000. */
  readonly timeoutMs?: number | undefined;
}

const SUITE_OPTIONS: Kinds<TransportSuiteOptions> = { timeoutMs: DURATION };

/**
 * Everything a connection relies on in a {@link ByteStream}, as test cases.
 *
 * @param makePair Connects two new streams; called twice for each case. Both are aborted at its end.
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
  // In both directions: the two ends of a transport may differ.
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
