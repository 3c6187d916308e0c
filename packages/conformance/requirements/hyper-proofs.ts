// Finds the tests that show a behavior of docs/evidence/hyper.md. Loaded by the tests and by scripts/docs.

import type { Behavior, Corner } from "./hyper.ts";
import { chapterFiles, filesIn, type Proof, read, testFiles } from "./proofs.ts";

// "179, 180: a title".
const NUMBERED = /(["`])(X?[0-9]+(?:, X?[0-9]+)*): ([^"`\n]+)\1/g;

/** The tests that show each behavior, by its number. */
export interface HyperProofs {
  readonly byNumber: ReadonlyMap<string, Proof>;
  readonly faults: readonly string[];
}

export function findHyperProofs(
  behaviors: readonly Behavior[],
  corners: readonly Corner[],
  root: URL,
): HyperProofs {
  const numbered = numberedTests(root);
  const byNumber = new Map<string, Proof>();
  const faults: string[] = [];
  const files = [...chapterFiles(root), ...testFiles(root)];
  for (const { n, by } of [...corners, ...behaviors] as { n: string | number; by?: string }[]) {
    const id = String(n);
    const found = by === undefined ? numbered.find((test) => test.ids.includes(id)) : namedTest(by);
    if (found === undefined) faults.push(`hyper ${id}: no test shows it${by ? `: ${by}` : ""}`);
    else if (byNumber.has(id)) faults.push(`hyper ${id} is listed twice`);
    else byNumber.set(id, found);
  }
  for (const { file, title, ids } of numbered) {
    const unknown = ids.filter((id) => !byNumber.has(id));
    for (const id of unknown) faults.push(`${file}: ${title}: no behavior ${id}`);
  }
  for (const { n, verdict, because } of behaviors) {
    if ((verdict === "same") !== (because === undefined))
      faults.push(`hyper ${n}: ${verdict}, why?`);
  }
  return { byNumber, faults };

  function namedTest(by: string): Proof | undefined {
    const colon = by.indexOf(": ");
    const title = by.slice(colon + 2);
    const file = files.find((path) => path.endsWith(`/${by.slice(0, colon)}`));
    if (file === undefined || !hasTitle(file, title)) return undefined;
    return { file, title, ids: [] };
  }

  function hasTitle(file: string, title: string): boolean {
    const text = read(root, file);
    if (file.endsWith(".md")) return text.includes(`\n## ${title}\n`);
    return text.includes(`"${title}"`) || text.includes(`\`${title}\``);
  }
}

function numberedTests(root: URL): Proof[] {
  return filesIn(root, "packages/conformance/test/evidence/", /^hyper.*\.test\.ts$/).flatMap(
    (file) =>
      [...read(root, file).matchAll(NUMBERED)].map(([, , ids = "", title = ""]) => ({
        file,
        title,
        ids: ids.split(", "),
      })),
  );
}

/** How many behaviors are the same as hyper's, and how many are not. */
export function countBehaviors(behaviors: readonly Behavior[]): string {
  const count = (wanted: Behavior["verdict"]) =>
    behaviors.filter(({ verdict }) => verdict === wanted).length;
  return `${behaviors.length} behaviors of hyper: ${count("same")} the same, ${count("stricter")} stricter, ${count("different")} different`;
}
