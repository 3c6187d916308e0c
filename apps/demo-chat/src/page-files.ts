// files → [page files] → service: the page, its style and its script, from memory

import { readFileSync } from "node:fs";
import type { ServerResponse } from "@upgrade/server";

const SECURITY: readonly (readonly [string, string])[] = [
  ["Cache-Control", "no-cache"],
  // Everything is of its own origin, and nothing is inline.
  [
    "Content-Security-Policy",
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src data:; connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ["X-Content-Type-Options", "nosniff"],
  ["Referrer-Policy", "no-referrer"],
];

const STYLES = ["page.css", "chat.css", "wire.css", "small.css"];

/** By path; the page of every room is at `/`. */
export type PageFiles = ReadonlyMap<string, ServerResponse>;

/** @param script What the sources in `src/page` are bundled to. */
export function pageFiles(script: Uint8Array): PageFiles {
  return new Map([
    ["/", file("text/html", source("index.html"))],
    ["/page.css", file("text/css", Buffer.concat(STYLES.map(source)))],
    ["/page.js", file("text/javascript", script)],
  ]);
}

// Resolves to the same file from src/ and from dist/.
function source(name: string): Uint8Array {
  return readFileSync(new URL(`../src/page/${name}`, import.meta.url));
}

function file(type: string, body: Uint8Array): ServerResponse {
  return { status: 200, headers: [["Content-Type", `${type}; charset=utf-8`], ...SECURITY], body };
}
