import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PACKAGES = ["client", "core", "node", "proxy", "server", "websocket"];

/** A ```ts block of a page or an `@example`, verbatim. */
export interface Sample {
  readonly file: string;
  /** The heading above it. */
  readonly heading: string;
  /** Which of the blocks under that heading: 1, 2, … */
  readonly number: number;
  readonly code: string;
  /** What the page assumes: imports, and declarations without a value. */
  readonly given: string;
}

const ROOT = new URL("../../../../", import.meta.url);

const FOLDERS = [
  "",
  "docs/",
  "docs/guides/",
  "docs/coming-from/",
  "docs/runtimes/",
  "packages/client/",
  "packages/core/",
  "packages/node/",
  "packages/proxy/",
  "packages/server/",
  "packages/websocket/",
];

/** Every sample in the docs and doc comments. */
export function readSamples(): Sample[] {
  const pages = FOLDERS.flatMap((folder) =>
    readdirSync(new URL(folder, ROOT))
      .filter((name) => name.endsWith(".md"))
      .sort()
      .flatMap((name) => samplesIn(`${folder}${name}`)),
  );
  return [...pages, ...PACKAGES.flatMap(examplesOf), ...programs()];
}

/** The programs in `examples/`, as `examples/reverse-proxy.ts: program`. */
function programs(): Sample[] {
  return readdirSync(new URL("examples/", ROOT))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => {
      const code = readFileSync(new URL(`examples/${name}`, ROOT), "utf8");
      return { file: `examples/${name}`, heading: "program", number: 1, code, given: "" };
    });
}

// An example omits the imports of its own package and of node:net.
function examplesOf(name: string): Sample[] {
  const folder = `packages/${name}/src/`;
  const sources = readdirSync(new URL(folder, ROOT), { recursive: true, encoding: "utf8" });
  const pattern =
    /^ *\* @example\n *\* ```ts\n((?: *\*(?! ```).*\n)+) *\* ```\n *\*\/\nexport (?:async )?\w+ (\w+)/gm;
  return sources.filter(isSource).flatMap((source) => {
    const file = folder + source;
    const text = readFileSync(new URL(file, ROOT), "utf8");
    return [...text.matchAll(pattern)].map(([, lines = "", heading = ""]) => {
      const code = lines.replace(/^ *\* ?/gm, "");
      const given = `import net from "node:net";\nimport { ${heading} } from "@upgrade/${name}";\n`;
      return { file, heading, number: 1, code, given };
    });
  });
}

function isSource(name: string): boolean {
  return name.endsWith(".ts") && !name.endsWith(".test.ts");
}

/** `docs/guides/server.md: The service`, with a number if there are several. */
export function nameOf({ file, heading, number }: Sample): string {
  return number === 1 ? `${file}: ${heading}` : `${file}: ${heading} (${number})`;
}

function samplesIn(file: string): Sample[] {
  const text = readFileSync(new URL(file, ROOT), "utf8");
  const pattern = /^#+ ([^\n]*)$|(?:<!-- given\n(.*?)-->\n+)?^```(\w*)[^\n]*\n(.*?)^```$/gms;
  const found: Sample[] = [];
  let heading = "";
  let number = 0;
  for (const [, title, given = "", language, code = ""] of text.matchAll(pattern)) {
    if (title !== undefined) {
      heading = title;
      number = 0;
    } else if (language === "ts") {
      number++;
      found.push({ file, heading, number, code, given });
    }
  }
  return found;
}

/**
 * The sample as a module: verbatim, except for port numbers. `given` has a value for every name that
 * the page declares.
 */
export function moduleOf(
  { code, given: declared }: Sample,
  given: string,
  ports: Readonly<Record<string, number>>,
  after: string,
): string {
  const declarations = /^declare .*?;$/gms;
  for (const [declaration] of declared.matchAll(declarations)) {
    const [, name] = /^declare (?:const|function) (\w+)/.exec(declaration)!;
    if (!new RegExp(`\\b${name}\\b`).test(given)) throw new Error(`no value for ${name}`);
  }
  const text = `${declared.replace(declarations, "")}\n${given}\n${code}\n${after}\nexport {};\n`;
  return text.replace(/\b(8080|3128|8081)\b/g, (port) => String(ports[port] ?? port));
}

export const STAGE = fileURLToPath(new URL("../../samples/stage.mjs", import.meta.url));
export const SOURCES = new URL("../../crash/sources.mjs", import.meta.url).href;
/** The directory modules are written to. */
export const SAMPLES = new URL("../../node_modules/.samples/", import.meta.url);
