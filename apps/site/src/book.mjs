// The table of contents: which file of the repository is which page, in the order of a newcomer.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { ENTRIES, root } from "./places.mjs";

/**
 * The chapters. `files` are pages in their order; a folder stands for every page in it that is
 * not named elsewhere, so that a new page is on the site without a change here.
 */
const CHAPTERS = [
  {
    title: "Start",
    area: "guide",
    files: ["README.md", "docs/guides/your-own-protocol.md", "apps/demo-chat/README.md"],
  },
  {
    title: "Guides",
    area: "guide",
    files: [
      "docs/guides/node.md",
      "docs/guides/server.md",
      "docs/guides/client.md",
      "docs/guides/websocket.md",
      "docs/guides/proxies.md",
      "docs/guides/connect-proxy.md",
      "docs/guides/",
      "packages/cli/README.md",
    ],
  },
  {
    title: "Runtimes",
    area: "guide",
    files: [
      "docs/runtimes/README.md",
      "docs/runtimes/node.md",
      "docs/runtimes/bun.md",
      "docs/runtimes/deno.md",
      "docs/runtimes/workers.md",
      "docs/runtimes/browser.md",
      "docs/runtimes/",
    ],
  },
  {
    title: "Coming from …",
    area: "guide",
    files: [
      "docs/coming-from/README.md",
      "docs/coming-from/node-http-upgrade.md",
      "docs/coming-from/undici.md",
      "docs/coming-from/ws.md",
      "docs/coming-from/hyper.md",
      "docs/coming-from/h11.md",
      "docs/coming-from/",
    ],
  },
  { title: "Packages", area: "reference", files: [] },
  {
    title: "Tables",
    area: "reference",
    files: [
      "docs/errors.md",
      "docs/verdicts.md",
      "docs/limits.md",
      "docs/transports.md",
      "docs/lifecycle.md",
      "docs/state-machine.md",
      "docs/glossary.md",
    ],
  },
  { title: "Evidence", area: "evidence", files: ["docs/evidence/README.md", "docs/evidence/"] },
  {
    title: "The project",
    area: "project",
    files: [
      "ARCHITECTURE.md",
      "docs/tour.md",
      "CONTRIBUTING.md",
      "SECURITY.md",
      "packages/conformance/README.md",
      "packages/bench/README.md",
    ],
  },
  { title: "Decisions", area: "project", files: ["docs/decisions/README.md", "docs/decisions/"] },
];

/** Pages with a path of their own; the others keep theirs, without `docs/`. */
const PATHS = {
  "README.md": "guides/install",
  "apps/demo-chat/README.md": "guides/chat",
  "packages/cli/README.md": "guides/cli",
  "ARCHITECTURE.md": "project/architecture",
  "CONTRIBUTING.md": "project/contributing",
  "SECURITY.md": "project/security",
  "docs/tour.md": "project/tour",
  "packages/conformance/README.md": "project/conformance",
  "packages/bench/README.md": "project/bench",
};

/** Names in the navigation that differ from the title on the page. */
const LABELS = {
  "README.md": "Install, and both ends",
  "docs/runtimes/README.md": "Overview",
  "docs/coming-from/README.md": "Overview",
  "docs/evidence/README.md": "Overview",
  "docs/decisions/README.md": "Overview",
};

/** `{ title, area, pages: [{ file, path, title, label }] }` of each chapter. */
export function readBook() {
  const all = CHAPTERS.flatMap(({ files }) => files);
  const named = new Set(all);
  const twice = all.filter((file, i) => all.indexOf(file) !== i);
  if (twice.length > 0) throw new Error(`two pages of ${twice.join(", ")}`);
  return CHAPTERS.map(({ title, area, files }) => ({
    title,
    area,
    pages: files
      .flatMap((file) => (file.endsWith("/") ? rest(file, named) : [file]))
      .filter((file) => existsSync(root + file))
      .map((file) => pageOf(file, area)),
  }));
}

/** The path on the site of every file that is a page: package READMEs are on their reference page. */
export function pathsOf(book) {
  const pages = book.flatMap((chapter) => chapter.pages);
  const paths = new Map(pages.map(({ file, path }) => [file, path]));
  for (const { page, isForAuthors } of ENTRIES) {
    if (!isForAuthors) paths.set(`packages/${page}/README.md`, `reference/${page}/index`);
  }
  // The table of contents of the repository; the site has its own.
  paths.set("docs/README.md", "index");
  return paths;
}

function rest(folder, named) {
  if (!existsSync(root + folder)) return [];
  return readdirSync(root + folder)
    .filter((name) => name.endsWith(".md") && name !== "README.md")
    .sort()
    .map((name) => folder + name)
    .filter((file) => !named.has(file));
}

function pageOf(file, area) {
  const text = readFileSync(root + file, "utf8");
  const [, title = file] = /^# (.+)$/m.exec(text) ?? [];
  return { file, path: pathOf(file, area), title, label: LABELS[file] ?? labelOf(file, title) };
}

// The chapter says the rest.
function labelOf(file, title) {
  const text = title.replaceAll("`", "");
  if (file.startsWith("docs/coming-from/")) return text.replace(/^Coming from /, "");
  if (!file.startsWith("docs/runtimes/")) return text;
  const place = text.replace(/^(On|In an?) /, "");
  return place[0].toUpperCase() + place.slice(1);
}

function pathOf(file, area) {
  const path = PATHS[file] ?? file.replace(/^docs\//, "").replace(/\.md$/, "");
  const isAlone = area !== "guide" && !path.includes("/");
  return (isAlone ? `${area}/${path}` : path)
    .replace(/^decisions\//, "project/decisions/")
    .replace(/README$/, "index");
}
