// Checks the built site: every link and anchor, a page for every public name, nothing from elsewhere.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { proseOf } from "../../../scripts/docs/markdown.mjs";
import { isCopy } from "./links.mjs";
import { BASE, DIST } from "./places.mjs";

/**
 * `{ faults, pages, links }` of the site in `folder`, which must have a page for each path of `texts`
 * and for each name.
 */
export function checkSite({ texts, names }, folder = DIST) {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) =>
    file.replaceAll("\\", "/"),
  );
  const pages = new Map(
    files.filter((file) => file.endsWith(".html")).map((file) => [file, readPage(folder + file)]),
  );
  const faults = [...texts.keys()]
    .filter((path) => !pages.has(`${path}.html`))
    .map((path) => `${path}: there is no such page`);
  for (const { name, path } of names) {
    if (!texts.has(path)) faults.push(`${name}: it has no page`);
  }
  faults.push(...brokenTexts(folder, files));
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
      if (!existsSync(folder + path)) faults.push(`${page}: no page ${link}`);
      else if (anchor !== undefined && !pages.get(path)?.ids.has(anchor)) {
        faults.push(`${page}: no heading ${link}`);
      }
    }
  }
  return { faults, pages: pages.size, links: checked.size };
}

function readPage(file) {
  const text = readFileSync(file, "utf8");
  const all = (pattern) =>
    [...text.matchAll(pattern)].map(([, value]) => value.replaceAll("&amp;", "&"));
  const sources = all(/<(?:script|img|source)\b[^>]*? src="([^"]*)"/g);
  return {
    ids: new Set(all(/ id="([^"]*)"/g)),
    links: all(/<a\b[^>]*? href="([^"]*)"/g),
    loads: [...sources, ...all(/<link\b[^>]*? href="([^"]*)"/g)],
  };
}

/** The links of the pages as text that lead to no file. */
function brokenTexts(folder, files) {
  const texts = files.filter((file) => /\.md$|^llms.*\.txt$/.test(file) && !isCopy(file));
  return texts.flatMap((file) => {
    const prose = proseOf(readFileSync(folder + file, "utf8")).replace(/`[^`]*`/g, "");
    return [...prose.matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .filter(([, goal]) => !/^[a-z]+:/.test(goal))
      .filter(([, goal]) => !existsSync(folder + posix.join(posix.dirname(file), goal)))
      .map(([, goal]) => `${file}: no file ${goal}`);
  });
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
