import { existsSync, readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

// What the sources of a published package may import from other packages.
const allowed: Record<string, readonly string[]> = {
  core: [],
  client: ["@upgrade/core", "@upgrade/core/io"],
  server: ["@upgrade/core", "@upgrade/core/io"],
  websocket: ["@upgrade/core", "@upgrade/core/io"],
  proxy: ["@upgrade/client", "@upgrade/core", "@upgrade/core/io", "@upgrade/server"],
  node: [
    "@upgrade/client",
    "@upgrade/core",
    "@upgrade/core/io",
    "@upgrade/server",
    "node:http",
    "node:net",
    "node:stream",
    "node:tls",
  ],
  // The program: what it needs of Node, and libraries of others.
  cli: [
    "@upgrade/client",
    "@upgrade/core/io",
    "@upgrade/node",
    "@upgrade/server",
    "@upgrade/websocket",
    "cli-table3",
    "commander",
    "node:dns",
    "node:dns/promises",
    "node:events",
    "node:fs",
    "node:net",
    "node:readline",
    "node:stream",
    "node:tls",
    "picocolors",
    "ws",
  ],
};

const packages = new URL("../../../", import.meta.url);
const imported = /\b(?:from|import)\s*\(?\s*["']([^"']+)["']/g;

describe.each(Object.entries(allowed))("%s", (name, others) => {
  const src = new URL(`${name}/src/`, packages);
  const files = existsSync(src)
    ? readdirSync(src, { recursive: true, encoding: "utf8" }).filter(
        (file) => file.endsWith(".ts") && !file.endsWith(".test.ts"),
      )
    : [];

  test("imports its own files, and from other packages only what is allowed", () => {
    const strangers = files.flatMap((file) =>
      [
        ...readFileSync(new URL(file.replaceAll("\\", "/"), src), "utf8")
          .replace(/^ \*.*$/gm, "")
          .matchAll(imported),
      ]
        .map(([, specifier = ""]) => specifier)
        .filter((specifier) => !/^[.#]/.test(specifier) && !others.includes(specifier))
        .map((specifier) => `${file}: ${specifier}`),
    );
    expect(strangers).toEqual([]);
  });
});
