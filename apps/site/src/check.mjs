// Checks the built site: every link and anchor, a page for every public name, nothing from elsewhere.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { DIST } from "./places.mjs";

const BASE = process.env.SITE_BASE ?? "/";

/** `{ faults, pages, links }` */
export function checkSite({ texts, reference }) {
  const files = readdirSync(DIST, { recursive: true, encoding: "utf8" }).map((file) =>
    file.replaceAll("\\", "/"),
  );
  const pages = new Map(files.filter((file) => file.endsWith(".html")).map(readPage));
  const faults = [...texts.keys()]
    .filter((path) => !pages.has(`${path}.html`))
    .map((path) => `${path}: there is no such page`);
  for (const { name, path } of reference.names) {
    if (!texts.has(path)) faults.push(`${name}: it has no page`);
  }
  const checked = new Set();
  for (const [page, { links, loads }] of pages) {
    for (const address of loads.filter((load) => /^(https?:)?\/\//.test(load))) {
      faults.push(`${page}: it loads ${address}`);
    }
    for (const link of [...links, ...loads]) {
      const [path, anchor] = goalOf(link, page);
      const goal = `${path}#${anchor ?? ""}`;
      if (path === undefined || checked.has(goal)) continue;
      checked.add(goal);
      if (!existsSync(DIST + path)) faults.push(`${page}: no page ${link}`);
      else if (anchor !== undefined && !pages.get(path)?.ids.has(anchor)) {
        faults.push(`${page}: no heading ${link}`);
      }
    }
  }
  return { faults, pages: pages.size, links: checked.size };
}

function readPage(file) {
  const text = readFileSync(DIST + file, "utf8");
  const all = (pattern) =>
    [...text.matchAll(pattern)].map(([, value]) => value.replaceAll("&amp;", "&"));
  return [
    file,
    {
      ids: new Set(all(/ id="([^"]*)"/g)),
      links: all(/<a\b[^>]*? href="([^"]*)"/g),
      loads: [
        ...all(/<(?:script|img|source)\b[^>]*? src="([^"]*)"/g),
        ...all(/<link\b[^>]*? href="([^"]*)"/g),
      ],
    },
  ];
}

// The file of the site that a link leads to, and the anchor; nothing for other sites.
function goalOf(link, page) {
  if (/^(?:[a-z]+:|\/\/)/.test(link)) return [];
  const [address, anchor] = link.split("#").map(decodeURIComponent);
  if (address === "") return [page, anchor];
  const path = address.startsWith(BASE)
    ? address.slice(BASE.length)
    : posix.join(posix.dirname(page), address);
  return [path === "" || path.endsWith("/") ? `${path}index.html` : path, anchor];
}
