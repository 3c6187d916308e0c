// Where everything is: the repository's pages, the pages made of them, and the site.
import { fileURLToPath } from "node:url";

/** The repository. */
export const root = fileURLToPath(new URL("../../../", import.meta.url));
export const site = fileURLToPath(new URL("../", import.meta.url));
/** What VitePress reads. It is made new each time. */
export const PAGES = `${site}.pages/`;
/** What VitePress writes: the site. */
export const DIST = `${site}dist/`;

/** The entry points that users import, with the folder of the site that has their names. */
export const ENTRIES = [
  { name: "@upgrade/client", file: "packages/client/src/index.ts", page: "client" },
  { name: "@upgrade/server", file: "packages/server/src/index.ts", page: "server" },
  { name: "@upgrade/node", file: "packages/node/src/index.ts", page: "node" },
  { name: "@upgrade/websocket", file: "packages/websocket/src/index.ts", page: "websocket" },
  { name: "@upgrade/proxy", file: "packages/proxy/src/index.ts", page: "proxy" },
  { name: "@upgrade/core", file: "packages/core/src/index.ts", page: "core" },
  {
    name: "@upgrade/core/io",
    file: "packages/core/src/io.ts",
    page: "core-io",
    isForAuthors: true,
  },
  {
    name: "@upgrade/core/testing",
    file: "packages/core/src/testing/index.ts",
    page: "core-testing",
    isForAuthors: true,
  },
];
