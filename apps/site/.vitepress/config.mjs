import { readFileSync } from "node:fs";
import { anchorOf } from "../../../scripts/docs/links.mjs";

const { sidebar } = JSON.parse(
  readFileSync(new URL("../.pages/navigation.json", import.meta.url), "utf8"),
);

export default {
  lang: "en",
  title: "upgrade",
  description: "HTTP/1.1 over any transport, up to the upgrade and beyond, for clients and servers",
  base: process.env.SITE_BASE ?? "/",
  srcDir: ".pages",
  outDir: "dist",
  cacheDir: ".pages/.cache",
  cleanUrls: false,
  // The index of the search is larger than the default, and loaded when the search is opened.
  vite: { build: { chunkSizeWarningLimit: 1_500 } },
  // Fonts of the system: nothing to load, and nothing from elsewhere.
  useWebFonts: false,
  head: [
    [
      "link",
      {
        rel: "icon",
        href: "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='7' fill='%232f5fd0'/><path d='M9 17l7-8 7 8M16 9v15' fill='none' stroke='white' stroke-width='3' stroke-linecap='round' stroke-linejoin='round'/></svg>",
      },
    ],
  ],
  markdown: {
    // The same anchors as GitHub's.
    anchor: { slugify: anchorOf },
    toc: { slugify: anchorOf },
    theme: { light: "github-light", dark: "github-dark" },
  },
  themeConfig: {
    nav: [
      { text: "Guides", link: "/guides/install", activeMatch: "^/(guides|runtimes)/" },
      { text: "Coming from …", link: "/coming-from/", activeMatch: "^/coming-from/" },
      { text: "Reference", link: "/reference/", activeMatch: "^/reference/" },
      { text: "Evidence", link: "/evidence/", activeMatch: "^/evidence/" },
      { text: "Project", link: "/project/architecture", activeMatch: "^/project/" },
    ],
    sidebar,
    outline: { level: [2, 3], label: "On this page" },
    search: { provider: "local", options: { detailedView: "auto" } },
    docFooter: { prev: "Before", next: "Next" },
  },
};
