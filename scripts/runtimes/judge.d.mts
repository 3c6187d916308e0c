export interface Played {
  readonly transport: string;
  readonly case: string;
  readonly failed?: string;
}

export interface Known {
  readonly runtimes: readonly string[];
  readonly transport: string;
  readonly cases?: readonly string[];
  readonly allBut?: readonly string[];
  readonly sometimes?: readonly string[];
  readonly because: string;
}

export function readKnown(): Known[];

export function judge(
  word: string,
  results: readonly Played[],
  allKnown?: readonly Known[],
): { transports: Record<string, number>; faults: string[] };
