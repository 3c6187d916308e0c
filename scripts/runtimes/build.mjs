// Builds the suite's programs into a project in which the packed packages are installed.
import { join } from "node:path";
import { build } from "esbuild";
import { fencedBlocks, read } from "../docs/markdown.mjs";
import { root } from "../tasks/run.mjs";

const RUNTIMES = join(root, "packages/conformance/runtimes");
export const KEYS = join(root, "packages/conformance/keys");

/**
 * Builds programs of the suite. Without `conditions` they import the packages, which the runtime
 * resolves itself; else the packages are bundled, resolved under these conditions.
 */
export async function buildPrograms(project, names, conditions) {
  await build({
    entryPoints: names.map((name) => join(RUNTIMES, `programs/${name}.ts`)),
    outdir: project,
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
    platform: "neutral",
    conditions: conditions ?? [],
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    external: ["node:*", "cloudflare:*"],
    plugins: [guideProtocol(), installed(project, conditions === undefined)],
  });
}

/** `guide:lines` is the protocol of the guide, as its text has it. */
function guideProtocol() {
  return {
    name: "guide",
    setup({ onResolve, onLoad }) {
      onResolve({ filter: /^guide:lines$/ }, ({ path }) => ({ path, namespace: "guide" }));
      onLoad({ filter: /.*/, namespace: "guide" }, () => {
        const [{ code }] = fencedBlocks(read("docs/guides/your-own-protocol.md"), "ts");
        const [protocol] = /^const lines = .*?^}\);$/ms.exec(code);
        return { contents: `export ${protocol}`, loader: "ts" };
      });
    },
  };
}

/** Takes the packages from the project, never from the workspace. */
function installed(project, isExternal) {
  return {
    name: "installed",
    setup({ onResolve, resolve }) {
      onResolve({ filter: /^@upgrade\// }, ({ path, kind, pluginData }) => {
        if (isExternal) return { path, external: true };
        if (pluginData === project) return undefined;
        return resolve(path, { kind, resolveDir: project, pluginData: project });
      });
    },
  };
}
