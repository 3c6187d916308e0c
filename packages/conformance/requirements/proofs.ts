// Finds the tests that name a rule. Loaded by the tests and by scripts/docs, so it imports none of our packages.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import type { Row } from "./rows.ts";

/** A story or a test that names rules. */
export interface Proof {
  /** Relative to the root of the workspace. */
  readonly file: string;
  readonly title: string;
  readonly ids: readonly string[];
}

const FIXTURES = "packages/conformance/fixtures/";
const LAW = /^L[0-9]{1,2}$/;
const IDS = "[A-Z][0-9]{1,2}(?:, [A-Z][0-9]{1,2})*";
// "R09, R10: a title", "a title (R09, R10)"; not in a comment.
const TITLE = new RegExp(`(["\`])(?:(${IDS}): ([^"\`\\n]+)|([^"\`\\n]+) \\((${IDS})\\))\\1`, "g");

/** Everything that names a rule, stories first. `root` is the root of the workspace. */
export function findProofs(root: URL): Proof[] {
  return [
    ...chapterFiles(root).flatMap((file) => storiesIn(root, file)),
    ...testFiles(root).flatMap((file) => titlesIn(root, file)),
  ];
}

function storiesIn(root: URL, file: string): Proof[] {
  const stories = read(root, file).matchAll(/^## (.+)\n+<!-- ([^·]+) ·/gm);
  return [...stories].map(([, title = "", ids = ""]) => ({ file, title, ids: ids.split(" ") }));
}

function titlesIn(root: URL, file: string): Proof[] {
  return [...read(root, file).matchAll(TITLE)].map(([, , before, title, other, after]) => ({
    file,
    title: title ?? other ?? "",
    ids: (before ?? after ?? "").split(", "),
  }));
}

export function chapterFiles(root: URL): string[] {
  return filesIn(root, FIXTURES, /^(?!README).*\.md$/);
}

/** All but the tests for hyper's cases, whose numbers look like our rules. */
export function testFiles(root: URL): string[] {
  const packages = readdirSync(new URL("packages/", root)).sort();
  return packages
    .flatMap((name) => ["src/", "test/"].map((folder) => `packages/${name}/${folder}`))
    .flatMap((folder) => filesIn(root, folder, /^(?!hyper).*\.test\.ts$/));
}

export function filesIn(root: URL, folder: string, name: RegExp): string[] {
  const url = new URL(folder, root);
  if (!existsSync(url)) return [];
  return readdirSync(url, { withFileTypes: true })
    .flatMap((entry) => {
      if (entry.isDirectory()) return filesIn(root, `${folder}${entry.name}/`, name);
      return name.test(entry.name) ? [`${folder}${entry.name}`] : [];
    })
    .sort();
}

export function read(root: URL, file: string): string {
  return readFileSync(new URL(file, root), "utf8");
}

/** Faults of the table: rules with neither proof nor reason, and unknown ids. */
export function faultsOf(rows: readonly Row[], proofs: readonly Proof[], root: URL): string[] {
  const proven = new Set(proofs.flatMap(({ ids }) => ids));
  const known = new Set(rows.map(({ id }) => id));
  const faults: string[] = [];
  for (const { id, at, because } of rows) {
    const open = because === undefined && !proven.has(id);
    if (open) faults.push(`${id} has neither a test nor a reason`);
    if (because === undefined && at === undefined) faults.push(`${id} names no file`);
    if (at !== undefined && !existsSync(new URL(`packages/${at}`, root))) {
      faults.push(`${id} names packages/${at}, which does not exist`);
    }
  }
  for (const { file, title, ids } of proofs) {
    const unknown = ids.filter((id) => !known.has(id) && !LAW.test(id));
    for (const id of unknown) faults.push(`${file}: ${title}: no rule ${id}`);
  }
  return faults;
}

/** How many rules are proven by a test, and how many are explained instead. */
export function countRows(rows: readonly Row[]): string {
  const explained = rows.filter(({ because }) => because !== undefined).length;
  return `${rows.length} rules of the RFCs: ${rows.length - explained} proven, ${explained} explained`;
}
