import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const root = fileURLToPath(new URL(".", import.meta.url));

// Under this condition the packages export their sources, so that no test needs a build.
const conditions = ["@upgrade/source", "module", "node", "development|production"];

// Clocks are injected and work is counted, so no test waits for time. On a busy machine a test may
// be slow; only one that hangs is wrong.
const testTimeout = 30_000;

// Vitest passes the conditions to Node, which cannot load the "module" of @opentelemetry/api: the chat
// has it from prom-client. Whoever extends the conditions below gets them all.
const resolve = { conditions: conditions.filter((condition) => condition !== "module") };
const bases: Readonly<Record<string, object>> = { "demo-chat": { resolve, ssr: { resolve } } };

const projects = ["packages", "apps"].flatMap((folder) =>
  readdirSync(`${root}${folder}`)
    .filter((name) => existsSync(`${root}${folder}/${name}/package.json`))
    .map((name) => ({
      ...(bases[name] ?? { extends: true as const }),
      root: `${root}${folder}/${name}`,
      test: { name, include: ["{src,test}/**/*.test.ts"], testTimeout },
    })),
);

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions } },
  test: {
    testTimeout,
    projects: [
      ...projects,
      { extends: true, test: { name: "workspace", include: ["scripts/**/*.test.ts"] } },
    ],
    coverage: {
      include: ["packages/{core,client,server,websocket,proxy,node}/src/**/*.ts"],
      exclude: ["**/*.test.ts"],
    },
  },
});
