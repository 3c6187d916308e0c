// How each bundler is told to bundle a program: for workerd as docs/guides/bundlers.md says, for Node
// and browsers in the plainest way.
import { cpSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { read } from "../docs/markdown.mjs";
import { binaryOf, scriptOf } from "./tools.mjs";

/** The entry for each runtime. */
export const ENTRIES = { browser: "browser.mjs", node: "server.mjs", workerd: "worker.mjs" };

const rollup = (input, options, output) => `
import { nodeResolve } from "@rollup/plugin-node-resolve";
export default {
  input: "${input}",
  external: /^node:/,
  plugins: [nodeResolve(${options})],
  output: { dir: "dist", ${output} },
};
`;
const webpack = (entry, options) => `
export default { mode: "production", entry: "./${entry}", ${options} };
`;
const vite = (options) => `
export default { build: { target: "es2022", modulePreload: { polyfill: false } }, ${options} };
`;

const PLAIN = {
  esbuild: {
    browser: { run: ["npx esbuild browser.mjs --bundle --minify --outdir=dist"] },
    node: {
      run: [
        "npx esbuild server.mjs --bundle --platform=node --format=esm --outdir=dist --out-extension:.js=.mjs",
      ],
    },
  },
  bun: {
    browser: { run: ["bun build browser.mjs --minify --outdir=dist"] },
    node: { run: ["bun build server.mjs --target=node --outdir=dist"] },
  },
  webpack: {
    browser: {
      files: { "webpack.config.mjs": webpack("browser.mjs", 'target: "web"') },
      run: ["npx webpack"],
    },
    // A CommonJS bundle.
    node: {
      files: { "webpack.config.mjs": webpack("server.mjs", 'target: "node20"') },
      run: ["npx webpack"],
    },
  },
  rollup: {
    browser: {
      files: {
        "rollup.config.mjs": rollup("browser.mjs", "{ browser: true }", 'format: "iife"'),
      },
      run: ["npx rollup --config"],
    },
    node: {
      files: { "rollup.config.mjs": rollup("server.mjs", "", 'format: "es"') },
      run: ["npx rollup --config"],
    },
  },
  vite: {
    browser: {
      files: {
        "vite.config.mjs": vite(""),
        "index.html": '<!doctype html><script type="module" src="/browser.mjs"></script>',
      },
      run: ["npx vite build"],
    },
    node: {
      files: { "vite.config.mjs": vite("ssr: { noExternal: true }") },
      run: ["npx vite build --ssr server.mjs"],
    },
  },
};

/** Each bundler with each runtime: the files to write, and the commands to run. */
export function builds() {
  const guide = workerdBuilds();
  return Object.entries(PLAIN).flatMap(([bundler, plain]) => {
    const all = { ...plain, workerd: guide[bundler] };
    return Object.entries(all).map(([runtime, { files = {}, run }]) => {
      return { bundler, runtime, files, run };
    });
  });
}

// A section of the guide has a heading, perhaps a file that begins with its name, and commands.
function workerdBuilds() {
  const sections = read("docs/guides/bundlers.md").split(/^## /m).slice(1);
  return Object.fromEntries(
    sections.map((section) => {
      const name = section.slice(0, section.indexOf("\n")).toLowerCase();
      const files = [...section.matchAll(/^```js\n\/\/ (\S+)\n(.*?)^```$/gms)];
      const commands = [...section.matchAll(/^```sh\n(.*?)^```$/gms)];
      return [
        name,
        {
          files: Object.fromEntries(files.map(([, file, text]) => [file, text])),
          run: commands.flatMap(([, lines]) => lines.trim().split("\n")),
        },
      ];
    }),
  );
}

/** The program and its arguments for `npx …` and `bun …`. */
export function commandOf(line) {
  const [command, ...args] = line.split(" ");
  if (command === "bun") return [binaryOf("bun"), args];
  const [name, ...rest] = args;
  const script = name === "webpack" ? scriptOf("webpack-cli") : scriptOf(name);
  // Without its install script, esbuild's script starts the binary.
  return [process.execPath, [script, ...rest]];
}

/** `cp <folder>/*<extension> <folder>/`, without a shell. */
export function copyFiles(line, cwd) {
  const [, pattern, to] = line.split(" ");
  const [folder, extension] = [dirname(pattern), pattern.slice(pattern.indexOf("*") + 1)];
  for (const name of readdirSync(join(cwd, folder)).filter((file) => file.endsWith(extension))) {
    cpSync(join(cwd, folder, name), join(cwd, to, name));
  }
}
