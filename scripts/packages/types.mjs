#!/usr/bin/env node
// Compiles expected types of the public API against the packed declarations, with each version of
// TypeScript since 5.2 and each kind of project: node scripts/packages/types.mjs <tarball>...
import { execFile } from "node:child_process";
import { cpSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { fencedBlocks, read } from "../docs/markdown.mjs";
import { TOOLS } from "../tasks/install.mjs";
import { root } from "../tasks/run.mjs";
import { inTurn } from "./in-turn.mjs";
import { fail, projectWith, writeFiles } from "./project.mjs";
import { README } from "./readme.mjs";
import { folderOf } from "./tools.mjs";
import { NODES } from "./type-cells.mjs";

const CHECK = fileURLToPath(new URL("check-types.mjs", import.meta.url));
const TYPES = join(root, "packages/conformance/types");

const WRONG = `
import type { Io } from "@upgrade/client";
export const wrong: Same<Io, string> = true;
`;

const { dependencies } = JSON.parse(readFileSync(join(TOOLS, "package.json"), "utf8"));
const project = projectWith(process.argv.slice(2).map((file) => resolve(file)));
for (const node of NODES) copyTypes(realpathSync(folderOf(`types-${node}`)), join(project, node));
const expected = readdirSync(TYPES).map((name) => [
  name.replace(/(?<!\.d)\.ts$/, ".mts"),
  readFileSync(join(TYPES, name), "utf8"),
]);
const [lines] = fencedBlocks(read("docs/guides/your-own-protocol.md"), "ts");
writeFiles(project, {
  ...Object.fromEntries(expected),
  "readme.mts": README,
  "lines.mts": lines.code,
  "wrong.mts": WRONG,
});

const versions = Object.keys(dependencies).flatMap(
  (name) => name.match(/^typescript-(.+)/)?.[1] ?? [],
);
let cells = 0;
await inTurn(versions, async (key) => {
  const { stdout } = await promisify(execFile)(process.execPath, [CHECK, project, key], {
    maxBuffer: 1 << 26,
  });
  const result = JSON.parse(stdout);
  const faulty = Object.entries(result.faults);
  if (faulty.length > 0) {
    const said = faulty.flatMap(([name, found]) => [`- ${name}`, ...found]);
    fail(`TypeScript ${result.version}: ${faulty.length} of ${result.cells} cells`, ...said);
  }
  cells += result.cells;
});
console.log(`the types are as expected in ${cells} projects of TypeScript ${versions.join(", ")}`);

// Copies, since next to the originals lie the types of other versions. What they depend on comes along.
function copyTypes(from, to) {
  cpSync(from, join(to, "node"), { recursive: true });
  const needed = realpathSync(join(from, "../../undici-types"));
  cpSync(needed, join(to, "node/node_modules/undici-types"), { recursive: true });
}
