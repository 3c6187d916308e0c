// Runs the programs of the README and of the guide to protocols, as they are.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { onFreePort } from "../packages/readme.mjs";
import { SAMPLES } from "../packages/samples.mjs";

/** @param args Of the runtime, before the file; undefined if it cannot run a file for Node. */
export async function sampleFaults(binary, args, project) {
  const faults = [];
  for (const [name, code, prints] of args === undefined ? [] : SAMPLES) {
    writeFileSync(join(project, name), await onFreePort(code));
    const options = { cwd: project, encoding: "utf8", timeout: 30_000 };
    const { stdout, stderr } = spawnSync(binary, [...args, name], options);
    if (stdout !== prints) faults.push(`${name} printed ${JSON.stringify(stdout)}\n${stderr}`);
  }
  return faults;
}
