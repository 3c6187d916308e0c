// file → [page] → service: the only page

import { readFileSync } from "node:fs";

// Resolves to the same file from src/ and from dist/.
const html = readFileSync(new URL("../src/page.html", import.meta.url));

/** The page and its header lines. */
export const PAGE = {
  body: html,
  headers: [
    ["Content-Type", "text/html; charset=utf-8"],
    ["Cache-Control", "no-cache"],
    // The page is self-contained and connects only to its own origin.
    [
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self' ws: wss:",
    ],
    ["X-Content-Type-Options", "nosniff"],
    ["Referrer-Policy", "no-referrer"],
  ] as [string, string][],
};
