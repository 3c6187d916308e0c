// How a bundle is run on each runtime.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { binaryOf } from "./tools.mjs";

const PAGE = fileURLToPath(new URL("page.mjs", import.meta.url));

/** The program that runs what was built into a folder, with its arguments. */
export const RUNTIMES = {
  browser: (folder) => [process.execPath, [PAGE, onlyScript(folder)]],
  node: (folder) => [process.execPath, [onlyScript(folder)]],
  workerd(folder) {
    const config = join(folder, "workerd.capnp");
    writeFileSync(config, configOf(folder));
    return [binaryOf("workerd"), ["test", config]];
  },
};

function onlyScript(folder) {
  const scripts = filesIn(folder).filter((file) => /\.m?js$/.test(file));
  if (scripts.length !== 1) throw new Error(`one script was expected, not ${scripts}`);
  return join(folder, scripts[0]);
}

function configOf(folder) {
  const scripts = filesIn(folder).filter((file) => /\.m?js$/.test(file));
  const wasm = filesIn(folder).filter((file) => file.endsWith(".wasm"));
  const modules = [
    ...scripts.map((file) => `(name = "${file}", esModule = embed "${file}")`),
    ...wasm.map((file) => `(name = "${file}", wasm = embed "${file}")`),
  ];
  return `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "bundle", worker = (
  modules = [${modules.join(", ")}],
  compatibilityDate = "2026-01-01",
))]);
`;
}

const filesIn = (folder) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).map((file) =>
    file.replaceAll("\\", "/"),
  );
