// The cells of the type matrix: what differs between the projects that a version of TypeScript checks.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { folderOf } from "./tools.mjs";

const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

/** The module system that goes with each way to find a package. */
const MODULES = { node16: "node16", nodenext: "nodenext", bundler: "esnext" };

/**
 * Versions of Node's types, each in a folder of this name, installed as `types-` and the name. They say
 * themselves which TypeScript is too old for them.
 */
export const NODES = ["node-20", "node-26"];

const DOM = { lib: ["es2022", "dom"] };
const PLATFORMS = { neither: {}, dom: DOM };
for (const node of NODES) {
  const { typeScriptVersion } = readJson(join(folderOf(`types-${node}`), "package.json"));
  const types = { types: ["node"], typeRoots: [node], since: Number(typeScriptVersion) };
  Object.assign(PLATFORMS, { [node]: types, [`dom ${node}`]: { ...DOM, ...types } });
}

const FLAGS = ["isolatedModules", "exactOptionalPropertyTypes", "verbatimModuleSyntax"];
// Each flag alone can find nothing that all of them together do not.
const STRICTNESS = [[], FLAGS];

/** What each file needs: types of Node, of any platform, and a module system with require(). */
const FILES = {
  "plain.mts": {},
  "required.cts": { needsRequire: true },
  "web.mts": { needsPlatform: true },
  "transports.mts": { needsNode: true },
  "public-members.mts": { needsNode: true },
  "on-node.mts": { needsNode: true },
  "required-node.cts": { needsNode: true, needsRequire: true },
  "agreements.mts": { needsNode: true },
  "services.mts": { needsNode: true },
  "spoken.mts": { needsNode: true },
  "readme.mts": { needsNode: true },
  "lines.mts": { needsNode: true },
};

/** What a version such as 5.2 checks: cells with a name, compiler options and files. */
export function typeCells(version) {
  const cells = [];
  for (const [moduleResolution, module] of Object.entries(MODULES)) {
    for (const [platform, { since = 0, ...types }] of Object.entries(PLATFORMS)) {
      if (version < since) continue;
      const files = filesFor(platform, moduleResolution);
      for (const flags of STRICTNESS) {
        cells.push({
          name: [moduleResolution, platform, ...flags].join(" "),
          compilerOptions: {
            target: "es2022",
            strict: true,
            noEmit: true,
            module,
            moduleResolution,
            lib: ["es2022"],
            types: [],
            ...types,
            ...Object.fromEntries(flags.map((flag) => [flag, true])),
          },
          files: ["same.d.ts", ...files],
        });
      }
    }
  }
  return cells;
}

function filesFor(platform, moduleResolution) {
  const fits = ({ needsNode = false, needsPlatform = false, needsRequire = false }) =>
    !(needsNode && !platform.includes("node")) &&
    !(needsPlatform && platform === "neither") &&
    !(needsRequire && moduleResolution === "bundler");
  return Object.keys(FILES).filter((file) => fits(FILES[file]));
}
