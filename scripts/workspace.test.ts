import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";

type Manifest = {
  name: string;
  private?: boolean;
  license?: string;
  engines?: Record<string, string>;
  bin?: Record<string, string>;
  exports?: Record<string, Record<string, unknown>>;
  imports?: Record<string, Record<string, unknown>>;
} & { [kind in (typeof runtimeKinds)[number] | "devDependencies"]?: Record<string, string> };

const runtimeKinds = ["dependencies", "peerDependencies", "optionalDependencies"] as const;
const root = new URL("../", import.meta.url);
const read = (path: string) => readFileSync(new URL(path, root), "utf8");

const manifests = ["packages", "apps"].flatMap((folder) =>
  readdirSync(new URL(`${folder}/`, root)).map(
    (name) => JSON.parse(read(`${folder}/${name}/package.json`)) as Manifest,
  ),
);
/** What a published package depends on, if that is not the core alone. */
const BROUGHT: Readonly<Record<string, readonly string[]>> = {
  "@upgrade/core": [],
  "@upgrade/proxy": ["@upgrade/client", "@upgrade/core", "@upgrade/server"],
  "@upgrade/node": ["@upgrade/client", "@upgrade/core", "@upgrade/server"],
};
/** Programs: run, never imported, and made with libraries of others. */
const PROGRAMS: readonly string[] = ["@upgrade/cli"];
const published = manifests.filter((manifest) => manifest.private !== true);

test("exactly these packages are published", () => {
  expect(published.map(({ name }) => name).sort()).toEqual([
    "@upgrade/cli",
    "@upgrade/client",
    "@upgrade/core",
    "@upgrade/node",
    "@upgrade/proxy",
    "@upgrade/server",
    "@upgrade/websocket",
  ]);
});

const libraries = published.filter(({ name }) => !PROGRAMS.includes(name));

describe.each(libraries)("$name", (manifest) => {
  test("brings nothing with it but packages of ours", () => {
    const brought = runtimeKinds.flatMap((kind) => Object.entries(manifest[kind] ?? {}));
    const names = BROUGHT[manifest.name] ?? ["@upgrade/core"];
    expect(brought).toEqual(names.map((name) => [name, "workspace:^"]));
  });

  test("exports its source first, then both module systems, types before code", () => {
    for (const conditions of Object.values(manifest.exports ?? {})) {
      expect(Object.keys(conditions)).toEqual(["@upgrade/source", "import", "require"]);
      expect(Object.keys(conditions.import as object)).toEqual(["types", "default"]);
      expect(Object.keys(conditions.require as object)).toEqual(["types", "default"]);
    }
    expect(Object.keys(manifest.exports ?? {})).toContain(".");
  });
});

describe.each(published)("$name", (manifest) => {
  test("states its license and its Node versions", () => {
    expect(manifest.license).toBe("MIT");
    expect(manifest.engines).toEqual({ node: ">=20" });
  });
});

test("a program has a command and no entry to import", () => {
  for (const { name, bin, exports } of published.filter((one) => PROGRAMS.includes(one.name))) {
    expect(Object.values(bin ?? {}), name).toEqual(["./dist/main.js"]);
    expect(exports, name).toBeUndefined();
  }
});

test("the core imports workerd's llhttp before the general ones", () => {
  const core = published.find(({ name }) => name === "@upgrade/core");
  expect(Object.keys(core?.imports?.["#llhttp"] ?? {})).toEqual([
    "types",
    "@upgrade/source",
    "workerd",
    "import",
    "require",
  ]);
});

test("every version in the catalog is exact", () => {
  const [, catalog = ""] = read("pnpm-workspace.yaml").split(/^catalog:\n/m);
  const versions = catalog
    .slice(0, catalog.search(/^\S/m))
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.trim().startsWith("#"));
  expect(versions.length).toBeGreaterThan(10);
  for (const version of versions) expect(version).toMatch(/^ {2}\S+: (npm:\S+@)?\d+\.\d+\.\d+$/);
});

test("every version that the packed packages are tried with is exact", () => {
  const tools = JSON.parse(read("packages/conformance/packages/package.json")) as Manifest;
  const versions = Object.values(tools.dependencies ?? {});
  expect(versions.length).toBeGreaterThan(20);
  for (const version of versions) expect(version).toMatch(/^(npm:\S+@)?\d+\.\d+\.\d+$/);
});

test("every dependency from outside comes from the catalog", () => {
  const all = [...manifests, JSON.parse(read("package.json")) as Manifest];
  for (const manifest of all) {
    for (const kind of [...runtimeKinds, "devDependencies"] as const) {
      for (const [name, version] of Object.entries(manifest[kind] ?? {})) {
        const expected = name.startsWith("@upgrade/") ? /^workspace:[*^]$/ : /^catalog:$/;
        expect(version, `${manifest.name}: ${name}`).toMatch(expected);
      }
    }
  }
});

const MADE = new Set(["node_modules", "dist", "coverage", ".turbo"]);

test("no file of code is longer than 350 lines", () => {
  const files = ["packages", "apps", "scripts"].flatMap(codeIn);
  expect(files.length).toBeGreaterThan(300);
  expect(files.filter((file) => read(file).split("\n").length - 1 > 350)).toEqual([]);
});

function codeIn(folder: string): string[] {
  return readdirSync(new URL(`${folder}/`, root), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return MADE.has(entry.name) ? [] : codeIn(path);
    return /\.(ts|mts|mjs)$/.test(entry.name) ? [path] : [];
  });
}
