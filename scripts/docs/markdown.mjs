// Finds and reads the project's Markdown pages.
import { existsSync, readdirSync, readFileSync } from "node:fs";

export const root = new URL("../../", import.meta.url);

const FOLDERS = [
  "docs/",
  "docs/guides/",
  "docs/runtimes/",
  "docs/coming-from/",
  "docs/decisions/",
  "docs/evidence/",
];

/** The path of every page, relative to the root. Fixtures are tests, not pages. */
export function markdownFiles() {
  const found = ["", ...FOLDERS].flatMap((folder) => markdownIn(folder));
  const packages = ["packages", "apps"].flatMap((group) =>
    readdirSync(new URL(`${group}/`, root)).flatMap((name) => markdownIn(`${group}/${name}/`)),
  );
  return [...found, ...packages.filter((file) => !file.endsWith("CHANGELOG.md"))];
}

function markdownIn(folder) {
  const url = new URL(folder, root);
  if (!existsSync(url)) return [];
  return readdirSync(url)
    .filter((name) => name.endsWith(".md"))
    .sort()
    .map((name) => `${folder}${name}`);
}

export function read(file) {
  return readFileSync(new URL(file, root), "utf8");
}

/**
 * The fenced blocks of a page in `language`, each with its line and its given code: the text of an
 * HTML comment that begins with "given", right above the fence.
 */
export function fencedBlocks(text, language) {
  const blocks = [];
  const pattern = /(?:<!-- given\n(.*?)-->\n+)?^```(\w*)[^\n]*\n(.*?)^```$/gms;
  for (const { index, 0: all, 1: given = "", 2: tag, 3: code } of text.matchAll(pattern)) {
    if (tag !== language) continue;
    const before = text.slice(0, index + all.indexOf(`\`\`\`${tag}`));
    blocks.push({ code, given, line: before.split("\n").length + 1 });
  }
  return blocks;
}

/** The page without its code blocks, so that nothing in them is taken for a link or a heading. */
export function proseOf(text) {
  return text.replace(/^```.*?^```$/gms, (block) => block.replace(/[^\n]/g, ""));
}
