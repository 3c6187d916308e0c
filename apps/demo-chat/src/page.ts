// file → [page] → service: the one page there is

import { readFileSync } from "node:fs";

// The same path from src/ and from dist/.
const html = readFileSync(new URL("../src/page.html", import.meta.url));

/** The page, and the header lines that go with it. */
export const PAGE = {
  body: html,
  headers: [
    ["Content-Type", "text/html; charset=utf-8"],
    ["Cache-Control", "no-cache"],
    // Everything the page needs is in it; it talks to where it came from.
    [
      "Content-Security-Policy",
      "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self' ws: wss:",
    ],
    ["X-Content-Type-Options", "nosniff"],
    ["Referrer-Policy", "no-referrer"],
  ] as [string, string][],
};
