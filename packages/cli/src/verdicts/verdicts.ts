// judge → [verdicts] → render: the table of every verdict, and one of them with its blanks filled

import { EXIT_CODES, type ExitClass } from "../exit-codes.ts";
import { AFTER, ANSWERS, HEALTHY } from "./answers.ts";
import { NETWORK, PROXY, TLS } from "./reaching.ts";
import { REFUSALS } from "./refusals.ts";
import type { BlanksOf, VerdictRow } from "./row.ts";

export const VERDICTS = {
  ...HEALTHY,
  ...NETWORK,
  ...TLS,
  ...PROXY,
  ...REFUSALS,
  ...ANSWERS,
  ...AFTER,
} as const;

export type VerdictId = keyof typeof VERDICTS;
type Row<Id extends VerdictId> = (typeof VERDICTS)[Id];
/** What must be filled in for a verdict. */
export type Blanks<Id extends VerdictId> = {
  readonly [Name in BlanksOf<Row<Id>["says"]> | BlanksOf<Row<Id>["change"]>]: string | number;
};

/** What the judge found. Its names are those of the JSON output. */
export interface Verdict {
  readonly id: VerdictId;
  readonly exit: number;
  readonly class: ExitClass;
  readonly says: string;
  readonly change: string;
  readonly rule?: string | undefined;
}

/** The verdict of a row, with its blanks filled in. */
export function verdict<Id extends VerdictId>(id: Id, blanks: Blanks<Id>): Verdict {
  const { exit, says, change, rule }: VerdictRow = VERDICTS[id];
  const filled = (text: string) =>
    text.replace(/\{(\w+)\}/g, (_, name: string) =>
      String((blanks as Record<string, unknown>)[name]),
    );
  return {
    id,
    exit: EXIT_CODES[exit],
    class: exit,
    says: filled(says),
    change: filled(change),
    rule,
  };
}
