import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL(".", import.meta.url));

// Under this condition the packages export their sources, so that no test needs a build.
const conditions = ["@upgrade/source", "module", "node", "development|production"];
// Vitest passes the conditions to Node, which cannot load the "module" of @opentelemetry/api: the chat
// has it from prom-client.
const conditionsOf: Readonly<Record<string, readonly string[]>> = {
  "demo-chat": conditions.filter((condition) => condition !== "module"),
};

function resolving(name: string) {
  const resolve = { conditions: [...(conditionsOf[name] ?? conditions)] };
  return { resolve, ssr: { resolve } };
}

const projects = ["packages", "apps"].flatMap((folder) =>
  readdirSync(`${root}${folder}`)
    .filter((name) => existsSync(`${root}${folder}/${name}/package.json`))
    .map((name) => ({
      extends: true as const,
      ...resolving(name),
      root: `${root}${folder}/${name}`,
      test: { name, include: ["{src,test}/**/*.test.ts"] },
    })),
);

export default defineConfig({
  test: {
    // Clocks are injected and work is counted, so no test waits for time. On a busy machine a test may
    // be slow; only one that hangs is wrong.
    testTimeout: 30_000,
    projects: [
      ...projects,
      {
        extends: true,
        ...resolving("workspace"),
        test: { name: "workspace", include: ["scripts/**/*.test.ts"] },
      },
    ],
    coverage: {
      include: ["packages/{core,client,server,websocket,proxy,node}/src/**/*.ts"],
      exclude: ["**/*.test.ts"],
    },
  },
});
