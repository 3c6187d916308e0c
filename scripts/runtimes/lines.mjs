// Plays the suite in a program that prints its results, and reads them.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { KEYS } from "./build.mjs";

/** For the whole suite in one runtime. */
export const RUN_MS = 120_000;

/** A player: runs a binary with these arguments in the project, and reports each line. */
export const playByLines = (args) => (binary, project, report) =>
  started(binary, [...args, KEYS], project, async (child) => {
    for await (const line of createInterface(child.stdout)) report(JSON.parse(line));
  });

/**
 * Starts a program, and resolves when `use` has ended, with what the program wrote to stderr. The
 * program is then killed.
 */
export async function started(binary, args, cwd, use, stdio = ["ignore", "pipe", "pipe"]) {
  const child = spawn(binary, args, { cwd, stdio });
  let printed = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    printed += text;
  });
  const closed = new Promise((settle) => {
    child.on("error", (error) => {
      printed += error.message;
    });
    child.on("close", settle);
  });
  const timer = setTimeout(() => child.kill("SIGKILL"), RUN_MS);
  try {
    await use(child, closed);
  } finally {
    child.kill("SIGKILL");
    await closed;
    clearTimeout(timer);
  }
  return printed;
}
