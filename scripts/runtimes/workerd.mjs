// Plays the suite in a worker of workerd.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { started } from "./lines.mjs";

// nodejs_compat is not asked for: the suite needs nothing of it.
const CONFIG = `using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "suite", worker = (
      modules = [
        (name = "workerd.js", esModule = embed "workerd.js"),
        (name = "llhttp.wasm", wasm = embed "llhttp.wasm"),
        (name = "scanner.wasm", wasm = embed "scanner.wasm"),
      ],
      compatibilityDate = "2026-06-01",
    )),
    (name = "internet", network = (allow = ["private"])),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "suite"),
    (name = "tcp", address = "127.0.0.1:0", tcp = (), service = "suite"),
  ],
);
`;

export function playInWorkerd(binary, project, report) {
  const config = join(project, "workerd.capnp");
  writeFileSync(config, CONFIG);
  // It says on descriptor 3 which ports it has.
  const args = ["serve", config, "--control-fd=3"];
  const use = async (child) => {
    const ports = await portsOf(child.stdio[3]);
    const response = await fetch(`http://127.0.0.1:${ports.http}/?port=${ports.tcp}`);
    for await (const line of createInterface(Readable.fromWeb(response.body)))
      report(JSON.parse(line));
  };
  return started(binary, args, project, use, ["ignore", "ignore", "pipe", "pipe"]);
}

async function portsOf(control) {
  const ports = {};
  for await (const line of createInterface(control)) {
    const { event, socket, port } = JSON.parse(line);
    if (event === "listen") ports[socket] = port;
    if (ports.http !== undefined && ports.tcp !== undefined) return ports;
  }
  throw new Error("workerd did not start");
}
