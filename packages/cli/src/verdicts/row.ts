// [row] ← verdicts: what a verdict says, as data

import type { ExitClass } from "../exit-codes.ts";

/** One way an upgrade ends. `{name}` in its texts is a blank that the judge fills in. */
export interface VerdictRow {
  readonly exit: ExitClass;
  /** The cause, in one line. */
  readonly says: string;
  /** What to change, and where. */
  readonly change: string;
  /** The rule that was broken, or that explains it. */
  readonly rule?: string;
}

/** The names of the blanks in a text. */
export type BlanksOf<Text extends string> = Text extends `${string}{${infer Name}}${infer Rest}`
  ? Name | BlanksOf<Rest>
  : never;
