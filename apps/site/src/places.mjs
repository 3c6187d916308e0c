// Where everything is: the repository's pages, the pages made of them, and the site.
import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));
export const site = fileURLToPath(new URL("../", import.meta.url));
/** What VitePress reads. It is made new each time. */
export const PAGES = `${site}.pages/`;
/** What VitePress writes: the site. */
export const DIST = `${site}dist/`;

/** The folder of a server in which the site is. */
export const BASE = process.env.SITE_BASE ?? "/";

const ORDER = ["client", "server", "node", "websocket", "proxy", "core"];

/**
 * The entry points of the published packages, in the order of the reference: `name`, the `file` in
 * the sources, and the `page` of the site that has their names. Those below a package are for authors
 * of transports, clients and servers.
 */
export const ENTRIES = readdirSync(`${root}packages`)
  .sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b))
  .flatMap((folder) => {
    const manifest = JSON.parse(readFileSync(`${root}packages/${folder}/package.json`, "utf8"));
    if (manifest.private === true) return [];
    return Object.entries(manifest.exports ?? {})
      .filter(([, target]) => target["@upgrade/source"] !== undefined)
      .map(([path, target]) => ({
        name: manifest.name + path.slice(1),
        file: `packages/${folder}/${target["@upgrade/source"].slice(2)}`,
        page: folder + path.slice(1).replaceAll("/", "-"),
        isForAuthors: path !== ".",
      }));
  });
