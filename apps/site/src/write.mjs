// Writes the pages that VitePress reads, each from its one source.
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, posix } from "node:path";
import { pathsOf, readBook } from "./book.mjs";
import { drawDiagrams } from "./diagrams.mjs";
import { homePage } from "./home.mjs";
import { copyOf, rewriteLinks, withoutComments } from "./links.mjs";
import { ENTRIES, PAGES, root } from "./places.mjs";
import { referencePages } from "./reference/pages.mjs";

// Its tables need the room.
const WIDE = "---\naside: false\npageClass: wide\n---\n\n";

/** Writes all pages. Returns what the checks and the texts for machines need. */
export function writePages() {
  rmSync(PAGES, { recursive: true, force: true });
  const book = readBook();
  const paths = pathsOf(book);
  const copies = new Set();
  const reference = referencePages(linkTo);
  const texts = new Map();
  const read = (file) => withoutComments(readFileSync(root + file, "utf8"));
  const onSite = (file, text = read(file)) =>
    rewriteLinks(file, text, { paths, to: linkTo, copies });

  for (const { area, pages } of book) {
    const head = area === "evidence" ? WIDE : "";
    for (const { file, path } of pages) {
      texts.set(path, head + drawDiagrams(path, onSite(file)));
    }
  }
  for (const entry of ENTRIES) {
    texts.set(`reference/${entry.page}/index`, packagePage(entry, reference, onSite));
  }
  for (const [path, text] of reference.pages) texts.set(path, text);
  texts.set("reference/index", referenceIndex(onSite, book));
  texts.set("index", homePage(onSite("README.md")));

  for (const [path, text] of texts) write(`${path}.md`, text);
  for (const file of copies) copy(file);
  write("navigation.json", JSON.stringify(navigation(book, reference)));
  return { book, texts, reference };
}

/** A link that VitePress resolves: it adds the base and the extension. */
function linkTo(path, anchor) {
  const address = `/${path.replace(/index$/, "")}`;
  return anchor === undefined ? address : `${address}#${anchor}`;
}

function packagePage(entry, { list }, onSite) {
  const head = entry.isForAuthors
    ? `# ${entry.name}\n\n${ABOUT[entry.page]}`
    : onSite(`packages/${entry.page}/README.md`);
  return `${[head.trimEnd(), "## All names", ...list(entry)].join("\n\n")}\n`;
}

const ABOUT = {
  "core-io":
    "For authors of transports, and of clients and servers other than ours. What an application needs of it, [`@upgrade/client`](/reference/client/) and [`@upgrade/server`](/reference/server/) export, too. [A transport of your own](/guides/own-transport) is the guide. The building blocks of a client or a server, without a guide, are tied to the exact version.",
  "core-testing":
    "For authors of transports, and for tests of code that uses a connection: a pair of connected streams in memory, a clock that a test moves, and a suite for a transport. [Testing](/guides/testing) is the guide.",
};

// The table of packages in the README, the entry points it leaves out, and the pages of tables.
function referenceIndex(onSite, book) {
  const [, packages] = /^(\| package \|.*?)\n\n/ms.exec(onSite("README.md")) ?? [];
  if (packages === undefined) throw new Error("README.md: there is no table of packages");
  const others = ENTRIES.filter(({ isForAuthors }) => isForAuthors).map(({ name, page }) => {
    const link = linkTo(`reference/${page}/index`);
    return `| [\`${name}\`](${link}) | for authors of transports, clients and servers |`;
  });
  const tables = book
    .filter(({ area }) => area === "reference")
    .flatMap(({ pages }) => pages.map(({ title, path }) => `- [${title}](${linkTo(path)})`));
  return `# Reference\n\n${[packages, ...others].join("\n")}\n\n## Tables\n\n${tables.join("\n")}\n`;
}

/** The bars on top and at the side, for the configuration of VitePress. */
function navigation(book, { names }) {
  const chapter = ({ title, pages }) => ({
    text: title,
    items: pages.map(({ label, path }) => ({ text: label, link: linkTo(path) })),
  });
  const area = (wanted) =>
    book.filter((one) => one.area === wanted && one.pages.length > 0).map(chapter);
  const packages = ENTRIES.map((entry) => ({
    text: entry.name,
    link: linkTo(`reference/${entry.page}/index`),
    collapsed: true,
    items: names
      .filter(({ entries }) => entries[0] === entry)
      .map(({ name, kind, path }) => ({
        text: kind === "function" ? `${name}()` : name,
        link: linkTo(path),
      })),
  }));
  const guide = area("guide");
  return {
    sidebar: {
      "/reference/": [{ text: "Packages", items: packages }, ...area("reference")],
      "/evidence/": area("evidence"),
      "/project/": area("project"),
      "/": guide,
    },
  };
}

function write(path, text) {
  const file = PAGES + path;
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text);
}

function copy(file) {
  const goal = `${PAGES}public/${copyOf(file)}`;
  mkdirSync(posix.dirname(goal), { recursive: true });
  cpSync(root + file, goal);
}
