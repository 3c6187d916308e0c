// The sources that a mutation may change: those of the published packages, without their tests.
import { readdirSync, readFileSync } from "node:fs";
import { root } from "./book.mjs";

const PACKAGES = ["core", "client", "server", "websocket", "proxy", "node"];

/** Every source file with its text, by path. */
export function readSources() {
  return new Map(
    PACKAGES.flatMap((name) => filesIn(`packages/${name}/src/`)).map((file) => [
      file,
      readFileSync(new URL(file, root), "utf8"),
    ]),
  );
}

function filesIn(folder) {
  return readdirSync(new URL(folder, root), { recursive: true, encoding: "utf8" })
    .map((file) => folder + file.replaceAll("\\", "/"))
    .filter((file) => /(?<!\.test)\.ts$/.test(file))
    .sort();
}
