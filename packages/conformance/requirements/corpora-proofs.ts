// Finds the tests that show what docs/evidence/corpora.md says about us. Loaded by the tests and by scripts/docs.

import type { Corpus } from "./corpora.ts";
import type { Disagreement } from "./disagreement.ts";
import { chapterFiles, filesIn, type Proof, read } from "./proofs.ts";

/** The results for one corpus. */
export interface Tally {
  readonly used: number;
  readonly same: number;
  readonly stricter: number;
  readonly different: number;
  readonly skipped: number;
}

/** The proof of each row, and the faults of the table. */
export interface CorporaProofs {
  readonly shown: ReadonlyMap<Disagreement, Proof>;
  readonly faults: readonly string[];
}

const CODE = /^[A-Z][A-Z_]+$/;
const CITATION = /RFC [0-9]{4} §[0-9]/;

/** How many cases there are of each kind. A case without a row has the same result in both. */
export function tallyOf({ name, cases, skipped }: Corpus, rows: readonly Disagreement[]): Tally {
  const count = (verdict: Disagreement["verdict"]) =>
    rows
      .filter((row) => row.corpus === name && row.verdict === verdict)
      .reduce((sum, row) => sum + row.cases.length, 0);
  const [stricter, different] = [count("stricter"), count("different")];
  const left = skipped.reduce((sum, some) => sum + some.cases, 0);
  const used = cases - left;
  return { used, same: used - stricter - different, stricter, different, skipped: left };
}

export function findCorporaProofs(
  corpora: readonly Corpus[],
  rows: readonly Disagreement[],
  root: URL,
): CorporaProofs {
  const files = [...chapterFiles(root), ...filesIn(root, "packages/conformance/fuzz/", /\.ts$/)];
  const shown = new Map<Disagreement, Proof>();
  const faults: string[] = [];
  const seen = new Set<string>();
  for (const row of rows) {
    const named = `${row.corpus} ${row.cases[0]}`;
    for (const id of row.cases.map((one) => `${row.corpus} ${one}`)) {
      if (seen.has(id)) faults.push(`${id} is listed twice`);
      seen.add(id);
    }
    if (row.cases.length === 0) faults.push(`${row.corpus}: ${row.says}: has no case`);
    if (!corpora.some(({ name }) => name === row.corpus)) faults.push(`${named}: no such corpus`);
    if (!CITATION.test(row.because)) faults.push(`${named}: cites no RFC`);
    const proof = proofOf(row.by);
    if (proof === undefined) faults.push(`${named}: no test shows it: ${row.by}`);
    else if (CODE.test(row.ours) && !textOf(proof).includes(row.ours)) {
      faults.push(`${named}: ${row.by} does not end in ${row.ours}`);
    } else shown.set(row, proof);
  }
  for (const corpus of corpora) {
    if (tallyOf(corpus, rows).same < 0) faults.push(`${corpus.name} has more rows than cases`);
  }
  return { shown, faults };

  function proofOf(by: string): Proof | undefined {
    const colon = by.indexOf(": ");
    const title = by.slice(colon + 2);
    const file = files.find((path) => path.endsWith(`/${by.slice(0, colon)}`));
    const proof = file === undefined ? undefined : { file, title, ids: [] };
    return proof === undefined || textOf(proof) === "" ? undefined : proof;
  }

  // A story up to the next heading, or a difference from the line with its name.
  function textOf({ file, title }: Proof): string {
    const text = read(root, file);
    const mark = file.endsWith(".md") ? `\n## ${title}\n` : `name: "${title}"`;
    const start = text.indexOf(mark);
    if (start === -1) return "";
    const end = text.indexOf(file.endsWith(".md") ? "\n## " : "\n  },", start + mark.length);
    return text.slice(start, end === -1 ? undefined : end);
  }
}

/** How many cases of other projects were read, and with what result. */
export function countCorpora(corpora: readonly Corpus[], rows: readonly Disagreement[]): string {
  const tallies = corpora.map((corpus) => tallyOf(corpus, rows));
  const sum = (kind: keyof Tally) => tallies.reduce((total, tally) => total + tally[kind], 0);
  return `${sum("used")} cases of other projects: ${sum("same")} the same, ${sum("stricter")} stricter, ${sum("different")} different`;
}
