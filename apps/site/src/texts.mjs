// The site for machines: every page as Markdown beside it, llms.txt, and llms-full.txt.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, posix } from "node:path";
import { isCopy } from "./links.mjs";
import { DIST, ENTRIES } from "./places.mjs";
import { firstSentence } from "./reference/comments.mjs";

/** Pages that say how it was made and proved, not how it is used. */
const APART = new Set(["evidence", "project"]);

/** Writes them into the site; returns the size of llms-full.txt in kB. */
export function writeTexts({ book, texts, reference }) {
  const plain = new Map([...texts].map(([path, text]) => [path, plainOf(text)]));
  for (const [path, text] of plain) write(`${path}.md`, relativeLinks(text, path));
  const chapters = [
    ...book.filter(({ pages }) => pages.length > 0),
    { title: "Packages", area: "reference", pages: ENTRIES.map(packageEntry) },
  ];
  write("llms.txt", indexOf(chapters, plain));
  const full = fullOf(chapters, plain, reference);
  write("llms-full.txt", full);
  return Math.round(full.length / 1_000);
}

function packageEntry({ name, page }) {
  return { path: `reference/${page}/index`, label: name };
}

function indexOf(chapters, plain) {
  const [title, lead] = plain.get("guides/install").split("\n\n");
  const parts = [
    title,
    `> ${lead}`,
    "Everything for users in one text: [llms-full.txt](llms-full.txt).",
  ];
  for (const { title, pages } of chapters) {
    const lines = pages.map(
      ({ label, path }) => `- [${label}](${path}.md)${aboutOf(plain.get(path))}`,
    );
    parts.push(`## ${title}`, lines.join("\n"));
  }
  return `${parts.join("\n\n")}\n`;
}

// The first sentence of the first paragraph that is text.
function aboutOf(text) {
  const paragraph = text.split("\n\n").find((part) => /^(?!```)[\p{L}`"*[]/u.test(part));
  return paragraph === undefined ? "" : `: ${firstSentence(paragraph)}`;
}

function fullOf(chapters, plain, { names }) {
  const pages = chapters.filter(({ area }) => !APART.has(area)).flatMap((chapter) => chapter.pages);
  const used = names.filter(({ entries }) => entries.some(({ isForAuthors }) => !isForAuthors));
  const paths = [...pages.map(({ path }) => path), ...used.map(({ path }) => path)];
  return paths.map((path) => relativeLinks(plain.get(path), "llms-full")).join("\n");
}

// Without what only VitePress reads.
function plainOf(text) {
  return text
    .replace(/^---\n.*?\n---\n+/s, "")
    .replace(/ \{#[^}]+\}$/gm, "")
    .replace(/^<div class="mentions">.*?<\/div>\n+/gms, "")
    .replace(/^::: \w+ (.*)\n(.*)\n:::$/gm, "**$1** $2")
    .replace(/<p class="kind">(.*?)<\/p>/g, (_, kind) => kind.replace(/<\/?code>/g, "`"));
}

/** Links of the site, `/guides/node#closing`, as paths from the page at `path`. */
export function relativeLinks(text, path) {
  return text.replace(/\]\(\/([^)#\s]*)(#[^)\s]*)?\)/g, (_, goal, anchor = "") => {
    const page = /(^|\/)$/.test(goal) ? `${goal}index` : goal;
    const file = isCopy(goal) ? goal : `${page}.md`;
    return `](${posix.relative(dirname(path), file)}${anchor})`;
  });
}

function write(path, text) {
  mkdirSync(dirname(DIST + path), { recursive: true });
  writeFileSync(DIST + path, text);
}
